// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeedFault} from "../interfaces/IPriceOracle.sol";
import {FixedPoint, WAD} from "../libraries/FixedPoint.sol";
import {MAX_PRICE_WAD, Price, toPrice} from "../types/Price.sol";
import {LiveSource, SecondSource, SourceKind} from "../types/PriceSource.sol";
import {ChainlinkReader} from "./ChainlinkReader.sol";
import {PythReader} from "./PythReader.sol";
import {SequencerGate} from "./SequencerGate.sol";

/// @notice What a source says now, and whether it can be used.
struct Reading {
    address feed; // zero for a pushed price
    FeedFault fault;
    int256 answer; // in the feed's own decimals
    uint256 updatedAt; // Unix seconds
    Price price; // zero where there is a fault, TooUncertain aside; marked fresh unless there is one or it is stale
}

/// @notice What an asset's sources say together.
struct Judgement {
    Price price;
    Reading first;
    Reading second; // nothing where there is none; its fault is Deviates where both give a price and these are too far apart
}

/// @title What an asset's price is read from, and how two sources make one price
/// @notice Sources are read, not kept: if a price counted only once somebody stored it, whoever left that undone could trade at an older
/// one. What is stored is the last good price, for the time when they give none that can be used.
abstract contract PriceSources is SequencerGate {
    using FixedPoint for uint256;

    /// @dev A Pyth price comes to the chain when somebody brings it, not when it has moved. So its error grows with its age: by the asset's
    /// tolerance every so many seconds. Who trades at an old one that is known to be wrong pays for that, who brings the newest does not.
    uint256 private constant PYTH_PACE = 10;
    /// @dev A chain's clock may lag. A price dated so little ahead counts as one of this block; refused, it would hide the price that it
    /// replaced, which nobody can bring back.
    uint256 private constant PYTH_LEEWAY = 60;

    mapping(uint256 asset => LiveSource) internal _firstSource;
    mapping(uint256 asset => SecondSource) internal _secondSource;

    /// @notice Where the asset's price is read; all zero where it is pushed.
    function firstSource(uint256 asset) external view returns (LiveSource memory) {
        return _firstSource[asset];
    }

    /// @notice What the asset's price is checked against; all zero where it has no second source.
    function secondSource(uint256 asset) external view returns (SecondSource memory) {
        return _secondSource[asset];
    }

    /// @dev Whether the asset's first source is read. Its stored price is then a fallback.
    function _isReadLive(uint256 asset, Price word) internal view returns (bool) {
        return word.isFallback() && _firstSource[asset].feed != address(0);
    }

    // ------------------------------------------------------------------ two sources, one price

    /// @dev The asset's price now, worked out from its stored word by the rule that IPriceOracle states.
    function _judge(uint256 asset, Price word) internal view returns (Judgement memory told) {
        bool live = _isReadLive(asset, word);
        if (live) told.first = _readFirst(asset, word);
        else (told.first.updatedAt, told.first.price) = (word.publishedAt(), _pushed(word));
        if (!word.isPaired()) {
            told.price = told.first.price.value() == 0 ? word.bare() : told.first.price;
            return told;
        }
        SecondSource storage second = _secondSource[asset];
        uint256 toleranceWad = live ? _firstSource[asset].toleranceWad : word.tolerance();
        told.second = _read(second.live, toleranceWad, second.usedAt, second.maxAge);

        told.price = (live ? word : second.agreed).bare();
        (Price one, Price two) = (told.first.price, told.second.price);
        uint256 bound = second.maxDeviationWad;
        if (one.isFresh() && two.isFresh()) {
            uint256 apart = _apartUp(one, two);
            // What they differ by may be the error of the one: whoever trades at it pays that.
            if (apart <= bound) told.price = _atLeast(one, apart);
            else told.second.fault = FeedFault.Deviates;
        } else if (one.isFresh() || two.isFresh()) {
            Price only = one.isFresh() ? one : two;
            uint256 apart = _apartUp(told.price, only);
            if (apart <= bound) told.price = _atLeast(only, apart).asReduceOnly();
        }
    }

    /// @dev The same, and no more than that: what has one source pays for one, and not for telling what is wrong with it.
    function _priceNow(uint256 asset, Price word) internal view returns (Price price) {
        if (word.isPaired()) return _judge(asset, word).price;
        if (!_isReadLive(asset, word)) return _pushed(word);
        LiveSource storage source = _firstSource[asset];
        (, , , price) = _ask(source, source.toleranceWad, word.publishedAt(), word.maxAge());
        if (price.value() == 0) price = word.bare();
    }

    /// @dev Throws what keeps the sources from giving a fresh price.
    function _requireFresh(uint256 asset, Price word, Judgement memory told) internal pure {
        _requireUsable(asset, told.first);
        if (word.isPaired()) _requireUsable(asset, told.second);
    }

    function _requireUsable(uint256 asset, Reading memory told) internal pure {
        _requireNoFault(asset, told);
        require(told.price.isFresh(), PriceStale(asset, told.price.publishedAt(), told.price.maxAge()));
    }

    function _requireNoFault(uint256 asset, Reading memory told) internal pure {
        bool none = told.fault == FeedFault.None;
        require(none, FeedRefused(asset, told.feed, told.fault, told.answer, told.updatedAt));
    }

    /// @dev Keeps the price on which both sources of an asset agree as its last good one. Nothing that is kept already is written.
    /// @param word the asset's, with the marks that it is to have
    function _agree(uint256 asset, Price word, Judgement memory told) internal {
        SecondSource storage second = _secondSource[asset];
        if (second.usedAt != told.second.updatedAt) second.usedAt = uint40(told.second.updatedAt);
        if (_isReadLive(asset, word)) {
            _keep(asset, word, told.first.price);
        } else if (Price.unwrap(second.agreed) != Price.unwrap(told.first.price.bare())) {
            second.agreed = told.first.price.bare();
            emit PriceAgreed(asset, told.first.price.value(), told.first.price.publishedAt());
        }
    }

    /// @dev Stores the price of a source that is read, with the marks of the asset's word, unless that is what is stored.
    function _keep(uint256 asset, Price word, Price price) internal {
        price = price.bare().asFallback().gated(word.isGated()).paired(word.isPaired());
        if (Price.unwrap(price) != Price.unwrap(_lastPrice[asset])) _store(asset, price);
    }

    /// @dev |b - a| / a, rounded up; the largest number where there is no price a.
    function _apartUp(Price a, Price b) private pure returns (uint256) {
        (uint256 from, uint256 to) = (a.value(), b.value());
        return from == 0 ? type(uint256).max : ((to > from ? to - from : from - to) * WAD).divUp(from);
    }

    function _atLeast(Price price, uint256 toleranceWad) private pure returns (Price) {
        return price.tolerance() >= toleranceWad ? price : price.withTolerance(toleranceWad);
    }

    // ------------------------------------------------------------------ one source

    function _readFirst(uint256 asset, Price word) internal view returns (Reading memory) {
        LiveSource storage source = _firstSource[asset];
        return _read(source, source.toleranceWad, word.publishedAt(), word.maxAge());
    }

    /// @dev The last price pushed. One that stands in for that of a feed which was replaced is not fresh.
    function _pushed(Price word) private view returns (Price) {
        return word.isFallback() ? word.bare() : word.bare().asOf(block.timestamp);
    }

    function _read(
        LiveSource storage source,
        uint256 toleranceWad,
        uint256 usedAt,
        uint256 maxAge
    ) internal view returns (Reading memory told) {
        told.feed = source.feed;
        (told.fault, told.answer, told.updatedAt, told.price) = _ask(source, toleranceWad, usedAt, maxAge);
    }

    /// @param toleranceWad the asset's
    /// @param usedAt Unix seconds: an older answer is refused
    /// @return fault what is wrong with it
    /// @return answer in the feed's own decimals
    /// @return updatedAt Unix seconds
    /// @return price marked fresh unless it is stale; zero where there is a fault, but for that of being too uncertain: then it counts, and
    /// is good for nothing
    function _ask(
        LiveSource storage source,
        uint256 toleranceWad,
        uint256 usedAt,
        uint256 maxAge
    ) private view returns (FeedFault fault, int256 answer, uint256 updatedAt, Price price) {
        uint256 priceWad;
        if (source.kind == SourceKind.Pyth) {
            uint256 confidenceWad;
            (fault, answer, updatedAt, priceWad, confidenceWad) = PythReader.read(source);
            if (updatedAt > block.timestamp && updatedAt <= block.timestamp + PYTH_LEEWAY) updatedAt = block.timestamp;
            // In this order, so that the first fault is told.
            if (fault == FeedFault.None) fault = _faultOf(source, answer, updatedAt, priceWad, usedAt);
            if (fault != FeedFault.None) return (fault, answer, updatedAt, price);
            toleranceWad = _agedUp(toleranceWad, block.timestamp - updatedAt) + confidenceWad;
            if (confidenceWad > source.maxConfidenceWad || toleranceWad > MAX_TOLERANCE_WAD) {
                price = toPrice(priceWad, MAX_TOLERANCE_WAD, updatedAt, maxAge);
                return (FeedFault.TooUncertain, answer, updatedAt, price);
            }
        } else {
            (fault, answer, updatedAt, priceWad) = ChainlinkReader.read(source);
            if (fault == FeedFault.None) fault = _faultOf(source, answer, updatedAt, priceWad, usedAt);
        }
        if (fault != FeedFault.None) return (fault, answer, updatedAt, price);
        price = toPrice(priceWad, toleranceWad, updatedAt, maxAge).asOf(block.timestamp);
    }

    /// @dev The tolerance of a Pyth price of this age, before its confidence; rounded up.
    function _agedUp(uint256 toleranceWad, uint256 ageSeconds) internal pure returns (uint256) {
        return toleranceWad + (toleranceWad * ageSeconds).divUp(PYTH_PACE);
    }

    function _faultOf(
        LiveSource storage source,
        int256 answer,
        uint256 updatedAt,
        uint256 priceWad,
        uint256 usedAt
    ) private view returns (FeedFault) {
        if (answer <= 0) return FeedFault.NotPositive;
        if (priceWad <= source.minPriceWad || priceWad >= source.maxPriceWad) return FeedFault.OutOfBounds;
        if (updatedAt > block.timestamp) return FeedFault.FromFuture;
        if (updatedAt < usedAt) return FeedFault.OlderThanUsed;
        return FeedFault.None;
    }

    function _requireInOrder(uint256 asset, uint256 minPriceWad, uint256 maxPriceWad) internal pure {
        bool inOrder = minPriceWad < maxPriceWad && maxPriceWad <= MAX_PRICE_WAD;
        require(inOrder, PriceBoundsNotInOrder(asset, minPriceWad, maxPriceWad));
    }
}
