// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A contract that owns accounts and does what it is told, for tests; when a token tells it of a move, what was planned for that
contract MockPuppet {
    struct Call {
        address target;
        bytes data;
    }

    struct Outcome {
        bool went;
        bytes result;
    }

    Call[] private _planned;
    Outcome[] private _outcomes;
    bool private _busy;

    /// @notice Calls a contract as this one, and reverts as it does.
    function act(address target, bytes calldata data) external returns (bytes memory) {
        (bool went, bytes memory result) = target.call(data);
        if (!went)
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        return result;
    }

    /// @notice Calls several contracts in one transaction, and reverts as the first of them that does.
    function actAll(Call[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool went, bytes memory result) = calls[i].target.call(calls[i].data);
            if (!went)
                assembly ("memory-safe") {
                    revert(add(result, 32), mload(result))
                }
        }
    }

    /// @notice Plans what to do when a token moves, and forgets what came of it before.
    function plan(Call[] calldata calls) external {
        delete _planned;
        delete _outcomes;
        for (uint256 i; i < calls.length; ++i) _planned.push(calls[i]);
    }

    /// @notice Does what is planned, one after the other, and notes what came of each. Not within itself.
    function onMove() external {
        if (_busy) return;
        _busy = true;
        for (uint256 i; i < _planned.length; ++i) {
            (bool went, bytes memory result) = _planned[i].target.call(_planned[i].data);
            _outcomes.push(Outcome(went, result));
        }
        _busy = false;
    }

    /// @notice What came of what was planned, in its order, once for each move.
    function outcomes() external view returns (Outcome[] memory) {
        return _outcomes;
    }
}
