// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A call as a test
/// @notice EDR runs tests several times as fast as calls, of which it records every step. What the call's data are stands as code of its
/// own, and what it returned is logged.
contract ParityBatch {
    event log_bytes(bytes data);

    /// Its code: the harness's address (32 bytes), and the data to call it with.
    address private constant CALL = address(0xca11);

    function testBatch() external {
        bytes memory call_ = CALL.code;
        address harness;
        assembly ("memory-safe") {
            let size := mload(call_)
            call_ := add(call_, 32)
            harness := mload(call_)
            mstore(call_, sub(size, 32))
        }
        (bool done, bytes memory returned) = harness.call(call_);
        require(done);
        emit log_bytes(returned);
    }
}
