// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {FeedFault} from "../interfaces/IPriceOracle.sol";
import {FixedPoint, WAD} from "../libraries/FixedPoint.sol";
import {LiveSource} from "../types/PriceSource.sol";
import {ANSWER_WORDS, FeedCall} from "./FeedCall.sol";

/// @title What a price id of a Pyth contract tells
/// @notice The last price that anybody has brought to the chain, whatever its age: the source's settings say how old it may be.
library PythReader {
    using FixedPoint for uint256;

    uint256 private constant PRICE_WORDS = 4;
    /// @dev Exponents at which a price is a whole number of wei, and scaling it overflows nothing: 63 bits times 10^36.
    int256 private constant MOST_EXPONENT = 18;

    /// @return fault what is wrong with it
    /// @return answer in the price's own exponent; zero where Pyth gives none
    /// @return updatedAt Unix seconds; zero where Pyth gives none
    /// @return priceWad exact; zero for an answer below zero
    /// @return confidenceWad part of the price, rounded up
    function read(
        LiveSource storage source
    )
        internal
        view
        returns (FeedFault fault, int256 answer, uint256 updatedAt, uint256 priceWad, uint256 confidenceWad)
    {
        uint256[ANSWER_WORDS] memory words;
        (fault, words) = FeedCall.ask(source.feed, IPyth.getPriceUnsafe.selector, source.priceId, PRICE_WORDS);
        if (fault != FeedFault.None) return (fault, 0, 0, 0, 0);
        int256 exponent = int256(words[2]);
        (answer, confidenceWad, updatedAt) = (int256(words[0]), words[1], words[3]);
        bool fits = answer == int64(answer) && confidenceWad <= type(uint64).max;
        bool scales = exponent >= -MOST_EXPONENT && exponent <= MOST_EXPONENT;
        if (!fits || !scales) return (FeedFault.NoAnswer, 0, 0, 0, 0);
        if (answer <= 0) return (FeedFault.None, answer, updatedAt, 0, 0);
        priceWad = uint256(answer) * 10 ** uint256(MOST_EXPONENT + exponent);
        confidenceWad = (confidenceWad * WAD).divUp(uint256(answer));
    }
}
