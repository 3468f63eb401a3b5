// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {FeedFault, IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {MAX_PRICE_WAD} from "../types/Price.sol";
import {LiveSource} from "../types/PriceSource.sol";
import {ANSWER_WORDS, FeedCall} from "./FeedCall.sol";

/// @title What a Chainlink aggregator tells
library ChainlinkReader {
    uint256 private constant ROUND_WORDS = 5;
    uint256 private constant WAD_DECIMALS = 18;

    /// @return fault what is wrong with it
    /// @return answer in the aggregator's decimals; zero where it gives none
    /// @return updatedAt Unix seconds; zero where it gives none
    /// @return priceWad exact up to the largest price there is; above it, some price that is refused; zero for an answer below zero
    function read(
        LiveSource storage source
    ) internal view returns (FeedFault fault, int256 answer, uint256 updatedAt, uint256 priceWad) {
        uint256[ANSWER_WORDS] memory round;
        (fault, round) = FeedCall.ask(source.feed, IAggregatorV3.latestRoundData.selector, ROUND_WORDS);
        if (fault != FeedFault.None) return (fault, 0, 0, 0);
        (uint256 roundId, uint256 answeredInRound) = (round[0], round[4]);
        if (roundId > type(uint80).max || answeredInRound > type(uint80).max) return (FeedFault.NoAnswer, 0, 0, 0);
        (answer, updatedAt) = (int256(round[1]), round[3]);
        if (updatedAt == 0 || answeredInRound < roundId) fault = FeedFault.RoundIncomplete;
        else priceWad = _scaled(answer, source.decimals);
    }

    /// @notice The decimals of an aggregator's answers, which never change.
    function decimalsOf(uint256 asset, address aggregator) internal view returns (uint8) {
        uint256[ANSWER_WORDS] memory words;
        FeedFault fault;
        (fault, words) = FeedCall.ask(aggregator, IAggregatorV3.decimals.selector, 1);
        require(fault == FeedFault.None, IPriceOracle.FeedRefused(asset, aggregator, fault, 0, 0));
        require(words[0] <= WAD_DECIMALS, IPriceOracle.FeedDecimalsTooMany(asset, aggregator, words[0]));
        return uint8(words[0]);
    }

    function _scaled(int256 answer, uint256 decimals) private pure returns (uint256) {
        if (answer <= 0) return 0;
        if (uint256(answer) > MAX_PRICE_WAD) return MAX_PRICE_WAD; // scaling might overflow; at the largest price it is refused
        return uint256(answer) * 10 ** (WAD_DECIMALS - decimals);
    }
}
