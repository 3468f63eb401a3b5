// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Chainlink's AggregatorV3: what the oracle asks of a feed
/// @notice What is assumed of a feed, and what is not:
/// - `decimals` never changes: it is read once, when the feed is set.
/// - The answer is quote per whole base unit, the quote being the settlement token's unit (a USD feed for a USD token).
/// - Chainlink publishes when the price has moved by the feed's deviation threshold or its heartbeat has passed, so an answer may be
///   old and right: tolerance is at least the deviation threshold, maximum age at least the heartbeat and some room for delay.
/// - An aggregator that has a smallest and a largest answer goes on telling that one when the market is beyond it: the bounds that the
///   oracle is given stand at or inside those.
/// - The uptime feed of an L2's sequencer has the same face: `answer` is 0 for up and 1 for down, `startedAt` since when; zero: never told.
/// - Nothing else: a feed may revert, burn its gas, answer nonsense or megabytes, or be taken off the chain.
interface IAggregatorV3 {
    /// @notice Decimals of the answers.
    function decimals() external view returns (uint8);

    /// @notice The latest round.
    /// @return roundId number of the round
    /// @return answer quote per whole base unit, times 10^decimals
    /// @return startedAt Unix seconds
    /// @return updatedAt Unix seconds at which the round was answered; zero: not yet
    /// @return answeredInRound round of the answer; below `roundId`: carried over from an earlier one
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
