// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {ChainlinkSource, FeedFault} from "../interfaces/IPriceOracle.sol";
import {Price, toPrice, MAX_PRICE_WAD} from "../types/Price.sol";
import {LastPrices} from "./LastPrices.sol";

/// @title Feed whose prices are read from a Chainlink aggregator whenever they are needed
/// @notice Read, not kept: if a price counted only once somebody stored it, whoever left that undone could trade at an older one. What
/// is stored is the fallback, which counts as the last good price, never fresh, while the aggregator gives none that can be used.
abstract contract ChainlinkFeed is LastPrices {
    /// @dev Gas that an aggregator is given, about four times what Chainlink's need. It bounds what a hostile one burns.
    uint256 private constant FEED_GAS = 100_000;
    /// @dev Gas left at which a call is given FEED_GAS in full: a caller keeps a 64th, and pays for the call itself.
    uint256 private constant GAS_NEEDED = (FEED_GAS * 64) / 63 + 5_000;
    uint256 private constant ROUND_WORDS = 5;
    uint256 private constant WAD_DECIMALS = 18;

    /// @dev What an aggregator says now, and whether it can be used.
    struct Reading {
        FeedFault fault;
        int256 answer; // in the aggregator's decimals
        uint256 updatedAt; // Unix seconds
        Price price; // zero unless the fault is None; not marked fresh
    }

    mapping(uint256 asset => ChainlinkSource) private _sources;

    /// @notice Makes an asset Chainlink-fed, or changes its settings. The aggregator must have a good, fresh answer now, which becomes the
    /// fallback: a wrong address fails here. Unless the aggregator stays the same its answer may be dated before the last price: dates of
    /// two feeds do not compare, for an old answer of an aggregator is one that has hardly moved since.
    /// @param toleranceWad largest relative error of an honest price, at most 10%
    /// @param maxAge seconds until an answer is stale, 1 to 30 days
    /// @param minPriceWad wad: a price at or below it is refused
    /// @param maxPriceWad wad, at most a billion: a price at or above it is refused
    function setChainlinkFeed(
        uint256 asset,
        uint256 toleranceWad,
        uint256 maxAge,
        address aggregator,
        uint256 minPriceWad,
        uint256 maxPriceWad
    ) external restricted {
        _requireBounded(asset, toleranceWad, maxAge);
        bool inOrder = minPriceWad < maxPriceWad && maxPriceWad <= MAX_PRICE_WAD;
        require(inOrder, PriceBoundsNotInOrder(asset, minPriceWad, maxPriceWad));
        uint8 decimals = _decimalsOf(asset, aggregator);
        uint256 usedAt = _sources[asset].aggregator == aggregator ? _lastPrice[asset].publishedAt() : 0;
        ChainlinkSource memory source = ChainlinkSource(aggregator, uint96(minPriceWad), uint96(maxPriceWad), decimals);
        Reading memory reading = _read(source, toPrice(0, toleranceWad, usedAt, maxAge));
        _requireUsable(asset, source, reading);
        require(reading.price.asOf(block.timestamp).isFresh(), PriceStale(asset, reading.updatedAt, maxAge));
        _sources[asset] = source;
        emit ChainlinkFeedSet(asset, aggregator, toleranceWad, maxAge, minPriceWad, maxPriceWad, decimals);
        _store(asset, reading.price.asFallback());
    }

    /// @notice Stores the prices that the aggregators of these assets tell now as their fallbacks, by anyone, all or none. One that is
    /// stored already is left as it is.
    function refresh(uint256[] calldata assets) external {
        for (uint256 i; i < assets.length; ++i) {
            uint256 asset = assets[i];
            require(_isReadLive(asset), NotChainlinkFed(asset));
            Price last = _lastPrice[asset];
            ChainlinkSource memory source = _sources[asset];
            Reading memory reading = _read(source, last);
            _requireUsable(asset, source, reading);
            Price price = reading.price.asFallback();
            if (Price.unwrap(price) != Price.unwrap(last)) _store(asset, price);
        }
    }

    /// @notice Where the asset's price is read; all zero where it is not Chainlink-fed.
    function chainlinkSource(uint256 asset) external view returns (ChainlinkSource memory) {
        return _sources[asset];
    }

    /// @dev The price of an asset whose stored price is a fallback: what its aggregator tells, fresh or stale, else the fallback.
    function _livePrice(uint256 asset, Price last) internal view returns (Price) {
        if (!_isReadLive(asset)) return last;
        Reading memory reading = _read(_sources[asset], last);
        return reading.fault == FeedFault.None ? reading.price.asOf(block.timestamp) : last;
    }

    /// @dev Throws what is wrong with the aggregator of an asset whose price is a fallback, if it has one and it has a fault.
    function _requireLive(uint256 asset) internal view {
        if (!_isReadLive(asset)) return;
        ChainlinkSource memory source = _sources[asset];
        _requireUsable(asset, source, _read(source, _lastPrice[asset]));
    }

    function _isReadLive(uint256 asset) internal view override returns (bool) {
        return _sources[asset].aggregator != address(0);
    }

    function _leaveAggregator(uint256 asset, Price last) internal override returns (Price) {
        if (!_isReadLive(asset)) return last;
        Reading memory reading = _read(_sources[asset], last);
        delete _sources[asset];
        if (reading.fault != FeedFault.None) return last;
        _store(asset, reading.price);
        return reading.price;
    }

    /// @param last stored price, whose date, tolerance and largest age the reading follows
    function _read(ChainlinkSource memory source, Price last) private view returns (Reading memory reading) {
        uint256[ROUND_WORDS] memory round;
        (reading.fault, round) = _ask(source.aggregator, IAggregatorV3.latestRoundData.selector, ROUND_WORDS);
        if (reading.fault != FeedFault.None) return reading;
        (uint256 roundId, uint256 answeredInRound) = (round[0], round[4]);
        if (roundId > type(uint80).max || answeredInRound > type(uint80).max) {
            reading.fault = FeedFault.NoAnswer;
            return reading;
        }
        (reading.answer, reading.updatedAt) = (int256(round[1]), round[3]);
        uint256 priceWad = _scaled(reading.answer, source.decimals);
        bool complete = reading.updatedAt != 0 && answeredInRound >= roundId;
        reading.fault = complete ? _faultOf(reading, priceWad, source, last.publishedAt()) : FeedFault.RoundIncomplete;
        if (reading.fault != FeedFault.None) return reading;
        reading.price = toPrice(priceWad, last.tolerance(), reading.updatedAt, last.maxAge());
    }

    function _faultOf(
        Reading memory reading,
        uint256 priceWad,
        ChainlinkSource memory source,
        uint256 usedAt
    ) private view returns (FeedFault) {
        if (reading.answer <= 0) return FeedFault.NotPositive;
        if (priceWad <= source.minPriceWad || priceWad >= source.maxPriceWad) return FeedFault.OutOfBounds;
        if (reading.updatedAt > block.timestamp) return FeedFault.FromFuture;
        if (reading.updatedAt < usedAt) return FeedFault.OlderThanUsed;
        return FeedFault.None;
    }

    /// @dev The answer as a wad: exact up to the largest price there is. Above it, where scaling might overflow, some price that is
    /// refused; and zero for an answer below zero.
    function _scaled(int256 answer, uint256 decimals) private pure returns (uint256) {
        if (answer <= 0) return 0;
        if (uint256(answer) > MAX_PRICE_WAD) return MAX_PRICE_WAD;
        return uint256(answer) * 10 ** (WAD_DECIMALS - decimals);
    }

    function _decimalsOf(uint256 asset, address aggregator) private view returns (uint8) {
        (FeedFault fault, uint256[ROUND_WORDS] memory answer) = _ask(aggregator, IAggregatorV3.decimals.selector, 1);
        require(fault == FeedFault.None, FeedRefused(asset, aggregator, fault, 0, 0));
        require(answer[0] <= WAD_DECIMALS, FeedDecimalsTooMany(asset, aggregator, answer[0]));
        return uint8(answer[0]);
    }

    /// @dev Calls a function without arguments that returns at least `count` words, and copies no more than those. Throws where the gas
    /// left would not let it have FEED_GAS, so that no caller can make a good aggregator look dead.
    function _ask(
        address aggregator,
        bytes4 selector,
        uint256 count
    ) private view returns (FeedFault fault, uint256[ROUND_WORDS] memory words) {
        if (aggregator.code.length == 0) return (FeedFault.NoCode, words);
        uint256 gasLeft = gasleft();
        require(gasLeft >= GAS_NEEDED, InsufficientGas(gasLeft, GAS_NEEDED));
        bool answered;
        assembly ("memory-safe") {
            mstore(0, selector)
            answered := staticcall(FEED_GAS, aggregator, 0, 4, words, mul(count, 32))
            answered := and(answered, iszero(lt(returndatasize(), mul(count, 32))))
        }
        if (!answered) fault = FeedFault.NoAnswer;
    }

    function _requireUsable(uint256 asset, ChainlinkSource memory source, Reading memory reading) private pure {
        require(
            reading.fault == FeedFault.None,
            FeedRefused(asset, source.aggregator, reading.fault, reading.answer, reading.updatedAt)
        );
    }
}
