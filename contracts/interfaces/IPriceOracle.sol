// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {SourceKind} from "../types/PriceSource.sol";

/// @notice What is wrong with the answer that a source of an asset's price gives.
enum FeedFault {
    None,
    /// There is no code at its address.
    NoCode,
    /// It reverts, needs more gas than it is given, or returns what is no answer.
    NoAnswer,
    /// Its round has no answer yet, or carries one over from an earlier round.
    RoundIncomplete,
    /// Zero or below.
    NotPositive,
    /// At or beyond the smallest or the largest price that its settings allow.
    OutOfBounds,
    /// Dated after the block.
    FromFuture,
    /// Dated before an answer that was already stored.
    OlderThanUsed,
    /// Its confidence is too large a part of its price, or makes the tolerance larger than 10%.
    TooUncertain,
    /// Of a second source: it differs from the first by more than the asset's settings allow.
    Deviates
}

/// @notice What the uptime feed of the chain's sequencer tells.
enum SequencerState {
    /// It has been up for the grace time, or there is none to watch.
    Up,
    /// It is down, or came back too short a time ago.
    Grace,
    /// The feed gives no answer: nothing is known.
    Unknown
}

/// @title Prices of the vault's assets
/// @notice An asset is a bit's number in an AssetSet: markets 0 to 95, collaterals 96 to 127. Answers stand in ascending order
/// of assets. One call serves all assets of an operation.
///
/// An asset's price is pushed, or read from a source whenever it is needed. It may be checked against a second source, which is read.
/// With two sources, p1 and p2, and the last good price g, on which both agreed:
///
///     both answer, |p2 - p1| <= maxDeviation * p1                 p1, fresh, with |p2 - p1| / p1 as tolerance where that is more
///     both answer, and are further apart                          g, not usable
///     one answers p, |p - g| <= maxDeviation * g                  p, reduce only, with |p - g| / g as tolerance where that is more
///     none answers, or one does that is further from g            g, not usable
///
/// where a source answers that gives a good price which is not stale.
interface IPriceOracle {
    /// @notice Thrown when an asset has no feed, or its push feed has never published.
    error PriceMissing(uint256 asset);
    /// @notice Thrown when the last price of a source is too old to be used, or stands in for that of a feed that was replaced while it
    /// gave none: publish a new one, or wait for the feed's next.
    error PriceStale(uint256 asset, uint256 publishedAt, uint256 maxAge);
    /// @notice Thrown when a price to publish is zero or below.
    error PriceNotPositive(uint256 asset, int256 priceWad);
    /// @notice Thrown when a price to publish is above the largest that the vault's arithmetic is made for.
    error PriceTooLarge(uint256 asset, int256 priceWad, uint256 maximumWad);
    /// @notice Thrown when a price to publish is dated after the block.
    error PriceFromFuture(uint256 asset, uint256 publishedAt, uint256 blockTime);
    /// @notice Thrown when a price to publish is dated before one already used.
    error PriceOlderThanUsed(uint256 asset, uint256 publishedAt, uint256 usedPublishedAt);
    /// @notice Thrown when the lists of one publication differ in length.
    error LengthMismatch(uint256 assets, uint256 prices);
    /// @notice Thrown when a feed's settings are outside the bounds in code: tolerance at most 10%, age 1 s to 30 days; of a Pyth feed
    /// tolerance 0.05% to 10%, age 1 to 60 s.
    error FeedOutOfBounds(uint256 asset, uint256 toleranceWad, uint256 maxAge);

    /// @notice Thrown when the bounds of a source's prices are not in order: `minPriceWad` below `maxPriceWad`, which is at most a
    /// billion.
    error PriceBoundsNotInOrder(uint256 asset, uint256 minPriceWad, uint256 maxPriceWad);
    /// @notice Thrown when the largest confidence of a Pyth source is outside the bounds in code: above zero, at most 10%.
    error ConfidenceOutOfBounds(uint256 asset, uint256 maxConfidenceWad);
    /// @notice Thrown when the largest deviation of a second source is outside the bounds in code: 0.1% to 10%.
    error DeviationOutOfBounds(uint256 asset, uint256 maxDeviationWad);
    /// @notice Thrown when an aggregator's answers have more decimals than a wad.
    error FeedDecimalsTooMany(uint256 asset, address aggregator, uint256 decimals);
    /// @notice Thrown when the answer that a source of an asset's price gives now cannot be used.
    /// @param feed the aggregator or the Pyth contract
    /// @param answer as the source gave it, in its own decimals; zero if it gave none
    /// @param updatedAt Unix seconds, as the source gave it; zero if it gave none
    error FeedRefused(uint256 asset, address feed, FeedFault fault, int256 answer, uint256 updatedAt);
    /// @notice Thrown when a price is pushed to an asset whose price is read from a source: set its push feed first.
    error NotPushFed(uint256 asset);
    /// @notice Thrown when the stored price of an asset is to be refreshed of which nothing is read.
    error NotReadLive(uint256 asset);
    /// @notice Thrown when an asset has no second source that could be cleared.
    error NoSecondSource(uint256 asset);
    /// @notice Thrown when an asset's two sources would be the same: name another as the second.
    error SameSource(uint256 asset, address feed);
    /// @notice Thrown when a caller leaves too little gas to ask a feed: with less, a good feed would look dead. Send more.
    error InsufficientGas(uint256 gasLeft, uint256 gasNeeded);

    /// @notice Thrown when the chain's Pyth contract is needed and none is set, or there is no code at the address: set it first.
    error PythMissing(address pyth);
    /// @notice Thrown when less is paid than Pyth asks for an update, wei: ask pythFee, and send that.
    error UpdateFeeNotPaid(uint256 paid, uint256 fee);
    /// @notice Thrown when the caller refuses what is left of its payment: send the fee exactly.
    error RestRefused(address caller, uint256 rest);

    /// @notice Thrown when a fresh price is needed while the chain's sequencer is down, has come back too short a time ago, or its
    /// uptime feed gives no answer: wait.
    error SequencerNotReady(address uptimeFeed, SequencerState state);
    /// @notice Thrown when the uptime feed to set does not answer as one does: correct its address.
    error UptimeFeedRefused(address uptimeFeed);
    /// @notice Thrown when the sequencer's grace time is outside the bounds in code: 10 minutes to 1 day.
    error GraceOutOfBounds(uint256 graceSeconds);

    /// @notice The asset is push-fed from now on, with these settings. If it was read from a source, a PricePublished just before tells
    /// that one's last price; without one the source gave none, and no price is fresh until the next is published.
    event PushFeedSet(uint256 indexed asset, uint256 toleranceWad, uint256 maxAge);
    /// @notice The asset is Chainlink-fed from now on: its price is read from this aggregator whenever it is needed, and refused at or
    /// below `minPriceWad` and at or above `maxPriceWad`. The PricePublished that follows tells the price.
    event ChainlinkFeedSet(
        uint256 indexed asset,
        address indexed aggregator,
        uint256 toleranceWad,
        uint256 maxAge,
        uint256 minPriceWad,
        uint256 maxPriceWad,
        uint256 decimals
    );
    /// @notice The asset is Pyth-fed from now on: its price is read from this Pyth contract whenever it is needed, and refused at or
    /// below `minPriceWad`, at or above `maxPriceWad`, and where its confidence is more than `maxConfidenceWad` of it. The
    /// PricePublished that follows tells the price.
    event PythFeedSet(
        uint256 indexed asset,
        address indexed pyth,
        bytes32 indexed priceId,
        uint256 toleranceWad,
        uint256 maxAge,
        uint256 minPriceWad,
        uint256 maxPriceWad,
        uint256 maxConfidenceWad
    );
    /// @notice The asset's price is checked against this second source from now on. `decimals` are an aggregator's, `priceId` and
    /// `maxConfidenceWad` a Pyth price's.
    event SecondFeedSet(
        uint256 indexed asset,
        SourceKind kind,
        address indexed feed,
        bytes32 indexed priceId,
        uint256 maxAge,
        uint256 minPriceWad,
        uint256 maxPriceWad,
        uint256 decimals,
        uint256 maxConfidenceWad,
        uint256 maxDeviationWad
    );
    /// @notice The asset has no second source any more: what the first tells counts alone.
    event SecondFeedCleared(uint256 indexed asset);
    /// @notice An asset has a new stored price (wad), with its tolerance (wad), as of `publishedAt`. Of an asset with a second source that
    /// is read from its first one, it is the last on which both agreed.
    event PricePublished(uint256 indexed asset, uint256 priceWad, uint256 toleranceWad, uint256 publishedAt);
    /// @notice The second source of a push-fed asset agrees with this price that was pushed: it is the last good one.
    event PriceAgreed(uint256 indexed asset, uint256 priceWad, uint256 publishedAt);
    /// @notice The chain's Pyth contract is this one from now on, for updates and for feeds that are set from now on.
    event PythSet(address indexed pyth);
    /// @notice The chain's sequencer is watched through this feed from now on; zero: there is none.
    event SequencerSet(address indexed uptimeFeed, uint256 graceSeconds);

    /// @notice The prices of these assets, all fresh. Throws with the first asset that has none: PriceMissing, PriceStale or FeedRefused;
    /// or SequencerNotReady.
    function prices(AssetSet assets) external view returns (Price[] memory);

    /// @notice The last good prices of these assets, each marked fresh, or reduce only, or neither. No feed makes it throw; a caller that
    /// leaves too little gas to ask one does (InsufficientGas). An asset without a price is zero. On a chain whose sequencer is down, or
    /// came back too short a time ago, every price is marked grace.
    function lastPrices(AssetSet assets) external view returns (Price[] memory);

    /// @notice The largest tolerance (wad) that a price of the asset's first source can have; parameters of the vault are checked against
    /// it, not against that of the moment. Where two sources differ, the tolerance of a price can be above it.
    function mostTolerance(uint256 asset) external view returns (uint256);

    /// @notice Brings signed prices to the Pyth contract, by anyone, and pays its fee out of what was sent. The rest goes back to the
    /// caller, last: a contract must be able to receive it, or send the fee exactly.
    /// @param updateData as Pyth's price service gives it
    function updatePyth(bytes[] calldata updateData) external payable;

    /// @notice What Pyth asks for an update, wei.
    function pythFee(bytes[] calldata updateData) external view returns (uint256);
}
