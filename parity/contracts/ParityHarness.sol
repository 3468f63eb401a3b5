// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ParityOracle} from "./ParityOracle.sol";

/// @title A vault whose storage can be written
/// @notice Runs the code of a deployed MarginVault on storage of its own, which it has from call data. Numbers are big-endian:
///
///     state    how many writes (2 bytes), of each: place (2), word (32)
///              how many answers of the oracle (1), of each: asset (1), word (32)
///     case     state; how many ranges of places to look at (1), of each: first (2), end (2)
///              how many calls (1), of each: caller (1), length (4), data
///     result   of each call: 1, or 0 where it reverted (1), length (4), what it returned; then the changes
///     changes  of each place whose word is not what the state gave it: place (2), word (32)
///
/// A place is the number of a slot in a list that stands as code of its own. One that the state does not name is zero.
contract ParityHarness {
    address private immutable _vault;
    ParityOracle private immutable _oracle;
    address private immutable _slots;
    address private immutable _callers;

    /// @param slots a contract whose code is the slots, one after the other
    /// @param callers the same of the ParityCallers, 32 bytes each
    constructor(address vault, address authority, ParityOracle oracle, address slots, address callers) {
        (_vault, _oracle, _slots, _callers) = (vault, oracle, slots, callers);
        assembly {
            sstore(0, authority) // where the vault has its access manager
        }
    }

    /// @notice Everything else is the vault's.
    fallback() external {
        address vault = _vault;
        assembly ("memory-safe") {
            let start := mload(0x40)
            calldatacopy(start, 0, calldatasize())
            let done := delegatecall(gas(), vault, start, calldatasize(), 0, 0)
            returndatacopy(start, 0, returndatasize())
            if done {
                return(start, returndatasize())
            }
            revert(start, returndatasize())
        }
    }

    /// @notice Runs cases one after the other; none leaves a trace.
    function parityRun(bytes[] calldata cases) external returns (bytes[] memory results) {
        results = new bytes[](cases.length);
        for (uint256 i; i < cases.length; ++i) {
            (, results[i]) = address(this).call(abi.encodeCall(this.parityOne, (cases[i])));
        }
    }

    /// @notice Runs one case, and reverts with its result.
    function parityOne(bytes calldata case_) external {
        uint256[] memory slots = _words(_slots);
        uint256[] memory given = new uint256[](slots.length);
        uint256 next = _read(case_, slots, given, true);
        bytes calldata ranges = case_[next + 1:next + 1 + 4 * uint256(uint8(case_[next]))];
        next += 1 + ranges.length;
        uint256[] memory callers = _words(_callers);
        bytes memory result;
        uint256 calls = uint8(case_[next++]);
        for (uint256 i; i < calls; ++i) {
            address caller = address(uint160(callers[uint8(case_[next])]));
            uint256 size = uint32(bytes4(case_[next + 1:next + 5]));
            next += 5;
            (bool done, bytes memory told) = caller.call(abi.encodePacked(address(this), case_[next:next + size]));
            result = abi.encodePacked(result, done, uint32(told.length), told);
            next += size;
        }
        result = bytes.concat(result, _changes(slots, given, ranges));
        assembly {
            revert(add(result, 32), mload(result))
        }
    }

    /// @notice Writes a state that stays.
    function parityLoad(bytes calldata state) external {
        uint256[] memory slots = _words(_slots);
        _read(state, slots, new uint256[](slots.length), true);
    }

    /// @notice What has changed in these ranges since that state was written.
    function parityChanges(bytes calldata state, bytes calldata ranges) external returns (bytes memory) {
        uint256[] memory slots = _words(_slots);
        uint256[] memory given = new uint256[](slots.length);
        _read(state, slots, given, false);
        return _changes(slots, given, ranges);
    }

    /// @dev The words that are a contract's code.
    function _words(address list) private view returns (uint256[] memory words) {
        words = new uint256[](list.code.length / 32);
        assembly ("memory-safe") {
            extcodecopy(list, add(words, 32), 0, shl(5, mload(words)))
        }
    }

    /// @param given gets the word of each place
    /// @param write whether the state is also written
    /// @return next where in the state's bytes it ends
    function _read(
        bytes calldata state,
        uint256[] memory slots,
        uint256[] memory given,
        bool write
    ) private returns (uint256 next) {
        uint256 writes = uint16(bytes2(state[0:2]));
        assembly ("memory-safe") {
            let next := add(state.offset, 2)
            let end := add(next, mul(writes, 34))
            for {} lt(next, end) {
                next := add(next, 34)
            } {
                let place := shl(5, add(shr(240, calldataload(next)), 1))
                let word := calldataload(add(next, 2))
                mstore(add(given, place), word)
                if write {
                    sstore(mload(add(slots, place)), word)
                }
            }
        }
        next = 2 + writes * 34;
        uint256 size = uint256(uint8(state[next++])) * 33;
        if (write) _oracle.setAnswers(state[next:next + size]);
        next += size;
    }

    function _changes(
        uint256[] memory slots,
        uint256[] memory given,
        bytes calldata ranges
    ) private view returns (bytes memory changes) {
        changes = new bytes(slots.length * 34);
        assembly ("memory-safe") {
            let end := add(changes, 32)
            let first := add(slots, 32)
            let toGiven := sub(given, slots)
            for {
                let range := ranges.offset
                let last := add(range, ranges.length)
            } lt(range, last) {
                range := add(range, 4)
            } {
                let slot := add(first, shl(5, shr(240, calldataload(range))))
                let until := add(first, shl(5, shr(240, calldataload(add(range, 2)))))
                for {} lt(slot, until) {
                    slot := add(slot, 32)
                } {
                    let word := sload(mload(slot))
                    if xor(word, mload(add(slot, toGiven))) {
                        mstore(end, shl(235, sub(slot, first)))
                        mstore(add(end, 2), word)
                        end := add(end, 34)
                    }
                }
            }
            mstore(changes, sub(end, add(changes, 32)))
        }
    }
}
