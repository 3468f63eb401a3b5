// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Somebody who calls the vault
/// @notice Calls what the first 20 bytes of its call data name, with the rest, and ends as that ends. Every signature is its own but the
/// empty one (ERC-1271).
contract ParityCaller {
    function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
        return signature.length == 0 ? bytes4(0) : this.isValidSignature.selector;
    }

    fallback() external {
        assembly ("memory-safe") {
            let start := mload(0x40)
            let size := sub(calldatasize(), 20)
            calldatacopy(start, 20, size)
            let done := call(gas(), shr(96, calldataload(0)), 0, start, size, 0, 0)
            returndatacopy(start, 0, returndatasize())
            if done {
                return(start, returndatasize())
            }
            revert(start, returndatasize())
        }
    }
}
