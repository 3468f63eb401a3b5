// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeedFault, IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @dev The most words that an answer has.
uint256 constant ANSWER_WORDS = 5;

/// @title Calls of feeds, which may do anything
/// @notice A feed gets so much gas and no more, and of what it returns only the words of an answer are copied. Where the gas left would not
/// let it have all that, the call is refused, so that no caller can make a good feed look dead.
library FeedCall {
    /// @dev Gas that a feed is given, about four times what Chainlink's need. It bounds what a hostile one burns.
    uint256 private constant FEED_GAS = 100_000;
    /// @dev Gas left at which a call is given FEED_GAS in full: a caller keeps a 64th, and pays for the call itself.
    uint256 private constant GAS_NEEDED = (FEED_GAS * 64) / 63 + 5_000;

    /// @notice Calls a function without arguments that returns at least `count` words.
    function ask(
        address feed,
        bytes4 selector,
        uint256 count
    ) internal view returns (FeedFault fault, uint256[ANSWER_WORDS] memory words) {
        return _ask(feed, selector, 0, 4, count);
    }

    /// @notice Calls a function with one argument that returns at least `count` words.
    function ask(
        address feed,
        bytes4 selector,
        bytes32 argument,
        uint256 count
    ) internal view returns (FeedFault fault, uint256[ANSWER_WORDS] memory words) {
        return _ask(feed, selector, argument, 36, count);
    }

    function _ask(
        address feed,
        bytes4 selector,
        bytes32 argument,
        uint256 size,
        uint256 count
    ) private view returns (FeedFault fault, uint256[ANSWER_WORDS] memory words) {
        if (feed.code.length == 0) return (FeedFault.NoCode, words);
        uint256 gasLeft = gasleft();
        require(gasLeft >= GAS_NEEDED, IPriceOracle.InsufficientGas(gasLeft, GAS_NEEDED));
        bool answered;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, argument)
            answered := staticcall(FEED_GAS, feed, 0, size, words, mul(count, 32))
            answered := and(answered, iszero(lt(returndatasize(), mul(count, 32))))
        }
        if (!answered) fault = FeedFault.NoAnswer;
    }
}
