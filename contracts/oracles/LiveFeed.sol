// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Price} from "../types/Price.sol";
import {LiveSource, SecondSource, SourceKind} from "../types/PriceSource.sol";
import {ChainlinkReader} from "./ChainlinkReader.sol";
import {Judgement, PriceSources, Reading} from "./PriceSources.sol";
import {PythContract} from "./PythContract.sol";

/// @title Feeds whose prices are read from a source whenever they are needed, and second sources
/// @notice A source must have a good, fresh answer when it is set, which becomes the last good price: a wrong address fails here. Where an
/// asset has two sources, both must answer and agree when either is set; to set one while the other is dead, clear the second first.
/// Unless a source stays the same its answer may be dated before the last price: dates of two feeds do not compare, for an old answer
/// of one is an answer that has hardly moved since.
abstract contract LiveFeed is PriceSources, PythContract {
    uint256 private constant MAX_CONFIDENCE_WAD = 0.1e18;
    uint256 private constant LEAST_DEVIATION_WAD = 0.001e18;
    uint256 private constant MOST_DEVIATION_WAD = MAX_TOLERANCE_WAD; // what sources differ by becomes tolerance
    uint256 private constant LEAST_PYTH_TOLERANCE_WAD = 0.0005e18;
    uint256 private constant MAX_PYTH_AGE = 1 minutes;

    // ------------------------------------------------------------------ the first source

    /// @notice Makes an asset Chainlink-fed, or changes its settings. A second source stays.
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
        LiveSource memory source = _aggregator(asset, aggregator, minPriceWad, maxPriceWad);
        source.toleranceWad = uint64(toleranceWad);
        Price price = _setFirst(asset, source, maxAge);
        emit ChainlinkFeedSet(asset, aggregator, toleranceWad, maxAge, minPriceWad, maxPriceWad, source.decimals);
        _store(asset, price);
    }

    /// @notice Makes an asset Pyth-fed, or changes its settings. A second source stays.
    /// @param toleranceWad largest relative error of an honest price that is new, 0.05% to 10%. It grows by as much every ten seconds of a
    /// price's age, and the confidence comes to it; beyond 10% in all a price is refused
    /// @param maxAge seconds until an answer is stale, 1 to 60: whoever needs the price brings a new one in the same transaction
    /// @param maxConfidenceWad part of the price, at most 10%: an answer whose confidence is larger is refused
    function setPythFeed(
        uint256 asset,
        uint256 toleranceWad,
        uint256 maxAge,
        uint256 maxConfidenceWad,
        bytes32 priceId,
        uint256 minPriceWad,
        uint256 maxPriceWad
    ) external restricted {
        _requireBounded(asset, toleranceWad, maxAge);
        bool bounded = toleranceWad >= LEAST_PYTH_TOLERANCE_WAD && maxAge <= MAX_PYTH_AGE;
        require(bounded, FeedOutOfBounds(asset, toleranceWad, maxAge));
        LiveSource memory source = _pythPrice(asset, priceId, minPriceWad, maxPriceWad, maxConfidenceWad);
        source.toleranceWad = uint64(toleranceWad);
        Price price = _setFirst(asset, source, maxAge);
        emit PythFeedSet(asset, source.feed, priceId, toleranceWad, maxAge, minPriceWad, maxPriceWad, maxConfidenceWad);
        _store(asset, price);
    }

    /// @return the price to store
    function _setFirst(uint256 asset, LiveSource memory source, uint256 maxAge) private returns (Price) {
        Price last = _lastPrice[asset];
        LiveSource storage first = _firstSource[asset];
        uint256 usedAt = _isSame(first, source) ? last.publishedAt() : 0;
        _firstSource[asset] = source;
        Reading memory told = _read(first, source.toleranceWad, usedAt, maxAge);
        _requireUsable(asset, told);
        // As it would be stored, so that both sources are held against one another as they will be.
        Price word = told.price.bare().asFallback().gated(_isGated()).paired(last.isPaired());
        if (!last.isPaired()) return word;
        SecondSource storage second = _secondSource[asset];
        _requireDistinct(asset, second.live, source);
        Judgement memory both = _judge(asset, word);
        _requireFresh(asset, word, both);
        (second.usedAt, second.agreed) = (uint40(both.second.updatedAt), Price.wrap(0));
        return word;
    }

    // ------------------------------------------------------------------ the second source

    /// @notice Has an asset's price checked against a Chainlink aggregator, instead of against what it was checked against before.
    /// @param maxAge seconds until its answer is stale, 1 to 30 days
    /// @param maxDeviationWad the largest part of the first price by which this one may differ from it, 0.1% to 10%: as far as they
    /// differ it becomes the tolerance
    function setSecondChainlinkFeed(
        uint256 asset,
        uint256 maxAge,
        uint256 maxDeviationWad,
        address aggregator,
        uint256 minPriceWad,
        uint256 maxPriceWad
    ) external restricted {
        LiveSource memory source = _aggregator(asset, aggregator, minPriceWad, maxPriceWad);
        _setSecond(asset, source, maxAge, maxDeviationWad);
    }

    /// @notice Has an asset's price checked against a Pyth price, instead of against what it was checked against before.
    /// @param maxConfidenceWad part of the price, at most 10%: an answer whose confidence is larger is refused
    function setSecondPythFeed(
        uint256 asset,
        uint256 maxAge,
        uint256 maxDeviationWad,
        uint256 maxConfidenceWad,
        bytes32 priceId,
        uint256 minPriceWad,
        uint256 maxPriceWad
    ) external restricted {
        LiveSource memory source = _pythPrice(asset, priceId, minPriceWad, maxPriceWad, maxConfidenceWad);
        _setSecond(asset, source, maxAge, maxDeviationWad);
    }

    /// @notice Leaves an asset with its first source alone, whatever that tells.
    function clearSecondFeed(uint256 asset) external restricted {
        Price word = _lastPrice[asset];
        require(word.isPaired(), NoSecondSource(asset));
        delete _secondSource[asset];
        _lastPrice[asset] = word.paired(false);
        emit SecondFeedCleared(asset);
    }

    function _setSecond(uint256 asset, LiveSource memory source, uint256 maxAge, uint256 maxDeviationWad) private {
        _requireBounded(asset, 0, maxAge);
        bool bounded = maxDeviationWad >= LEAST_DEVIATION_WAD && maxDeviationWad <= MOST_DEVIATION_WAD;
        require(bounded, DeviationOutOfBounds(asset, maxDeviationWad));
        Price word = _lastPrice[asset];
        require(word.value() != 0, PriceMissing(asset));
        _requireDistinct(asset, _firstSource[asset], source);
        SecondSource storage second = _secondSource[asset];
        if (!_isSame(second.live, source)) second.usedAt = 0;
        (second.live, second.maxAge, second.maxDeviationWad) = (source, uint32(maxAge), uint64(maxDeviationWad));
        word = word.paired(true);
        Judgement memory both = _judge(asset, word);
        _requireFresh(asset, word, both);
        emit SecondFeedSet(
            asset,
            source.kind,
            source.feed,
            source.priceId,
            maxAge,
            source.minPriceWad,
            source.maxPriceWad,
            source.decimals,
            source.maxConfidenceWad,
            maxDeviationWad
        );
        _lastPrice[asset] = word;
        _agree(asset, word, both);
    }

    // ------------------------------------------------------------------ the last good price

    /// @notice Stores the prices that the sources of these assets tell now as their last good ones, by anyone, all or none. One that is
    /// stored already is left as it is. Where there are two sources both must agree.
    function refresh(uint256[] calldata assets) external {
        for (uint256 i; i < assets.length; ++i) {
            uint256 asset = assets[i];
            Price word = _lastPrice[asset];
            require(word.isPaired() || _isReadLive(asset, word), NotReadLive(asset));
            Judgement memory told = _judge(asset, word);
            if (word.isPaired()) {
                _requireFresh(asset, word, told);
                _agree(asset, word, told);
            } else {
                _requireNoFault(asset, told.first);
                _keep(asset, word, told.first.price);
            }
        }
    }

    // ------------------------------------------------------------------ shared

    function _aggregator(
        uint256 asset,
        address aggregator,
        uint256 minPriceWad,
        uint256 maxPriceWad
    ) private view returns (LiveSource memory) {
        _requireInOrder(asset, minPriceWad, maxPriceWad);
        uint8 decimals = ChainlinkReader.decimalsOf(asset, aggregator);
        return
            LiveSource(aggregator, uint96(minPriceWad), uint96(maxPriceWad), SourceKind.Chainlink, decimals, 0, 0, 0);
    }

    function _pythPrice(
        uint256 asset,
        bytes32 priceId,
        uint256 minPriceWad,
        uint256 maxPriceWad,
        uint256 maxConfidenceWad
    ) private view returns (LiveSource memory) {
        _requireInOrder(asset, minPriceWad, maxPriceWad);
        bool bounded = maxConfidenceWad != 0 && maxConfidenceWad <= MAX_CONFIDENCE_WAD;
        require(bounded, ConfidenceOutOfBounds(asset, maxConfidenceWad));
        return
            LiveSource(
                _requirePyth(),
                uint96(minPriceWad),
                uint96(maxPriceWad),
                SourceKind.Pyth,
                0,
                0,
                uint64(maxConfidenceWad),
                priceId
            );
    }

    /// @dev A source held against itself would be no check.
    function _requireDistinct(uint256 asset, LiveSource storage one, LiveSource memory other) private view {
        require(!_isSame(one, other), SameSource(asset, other.feed));
    }

    function _isSame(LiveSource storage one, LiveSource memory other) private view returns (bool) {
        if (one.kind != other.kind || one.priceId != other.priceId) return false;
        return one.kind == SourceKind.Pyth || one.feed == other.feed; // a price id is the same in every Pyth contract
    }
}
