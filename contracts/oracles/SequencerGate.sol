// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {FeedFault, SequencerState} from "../interfaces/IPriceOracle.sol";
import {Price} from "../types/Price.sol";
import {ANSWER_WORDS, FeedCall} from "./FeedCall.sol";
import {LastPrices} from "./LastPrices.sol";

/// @title The gate that an L2's sequencer is
/// @notice While it is down nobody but who knows the way around it can act, and prices may have moved when it comes back. So until its
/// grace time is over no price is fresh, and prices are marked grace. An uptime feed that gives no answer keeps prices from being fresh,
/// but gives no grace: a dead one must not shield an owner. On a chain without one nothing is asked and nothing paid, since the mark that
/// sends a price through the gate stands in its own word.
abstract contract SequencerGate is LastPrices {
    uint256 private constant LEAST_GRACE = 10 minutes;
    uint256 private constant MOST_GRACE = 1 days;
    /// @dev A feed that tells longer than this that the sequencer is down shields nobody any more: it may be the feed that is.
    uint256 private constant MOST_DOWNTIME = 3 days;
    uint256 private constant UP = 0;
    uint256 private constant DOWN = 1;
    uint256 private constant ROUND_WORDS = 5;

    address private _uptimeFeed;
    uint32 private _graceSeconds;

    /// @notice Watches the chain's sequencer through a Chainlink uptime feed, which must answer now; for the zero address, watches none.
    /// @param graceSeconds 10 minutes to 1 day; without a feed it means nothing
    function setSequencer(address uptimeFeed, uint32 graceSeconds) external restricted {
        bool watched = uptimeFeed != address(0);
        if (watched) {
            bool bounded = graceSeconds >= LEAST_GRACE && graceSeconds <= MOST_GRACE;
            require(bounded, GraceOutOfBounds(graceSeconds));
            require(_stateOf(uptimeFeed, graceSeconds) != SequencerState.Unknown, UptimeFeedRefused(uptimeFeed));
        } else {
            graceSeconds = 0;
        }
        (_uptimeFeed, _graceSeconds) = (uptimeFeed, graceSeconds);
        for (uint256 asset; asset < ASSETS; ++asset) {
            Price word = _lastPrice[asset];
            if (word.maxAge() != 0 && word.isGated() != watched) _lastPrice[asset] = word.gated(watched);
        }
        emit SequencerSet(uptimeFeed, graceSeconds);
    }

    /// @notice The uptime feed of the chain's sequencer (zero: none is watched), its grace time, and what it tells now.
    function sequencerStatus() external view returns (address uptimeFeed, uint256 graceSeconds, SequencerState state) {
        (uptimeFeed, graceSeconds) = (_uptimeFeed, _graceSeconds);
        if (uptimeFeed != address(0)) state = _stateOf(uptimeFeed, graceSeconds);
    }

    function _isGated() internal view returns (bool) {
        return _uptimeFeed != address(0);
    }

    function _sequencerState() internal view returns (SequencerState) {
        return _stateOf(_uptimeFeed, _graceSeconds);
    }

    /// @dev The price, worked out from a stored word that is marked gated, as it comes through the gate.
    function _throughGate(Price price, SequencerState state) internal pure returns (Price) {
        if (state == SequencerState.Up) return price;
        if (price.isFresh()) price = price.asReduceOnly();
        return state == SequencerState.Grace ? price.duringGrace() : price;
    }

    function _requireSequencer() internal view {
        SequencerState state = _sequencerState();
        require(state == SequencerState.Up, SequencerNotReady(_uptimeFeed, state));
    }

    /// @dev The feed answers 0 for up or 1 for down, and since when; zero for that: it was never told.
    function _stateOf(address uptimeFeed, uint256 graceSeconds) private view returns (SequencerState) {
        (FeedFault fault, uint256[ANSWER_WORDS] memory round) = FeedCall.ask(
            uptimeFeed,
            IAggregatorV3.latestRoundData.selector,
            ROUND_WORDS
        );
        (uint256 answer, uint256 since) = (round[1], round[2]);
        bool told = fault == FeedFault.None && answer <= DOWN && since != 0 && since <= block.timestamp;
        if (!told) return SequencerState.Unknown;
        uint256 lasts = block.timestamp - since;
        if (answer == DOWN) return lasts > MOST_DOWNTIME ? SequencerState.Unknown : SequencerState.Grace;
        return lasts >= graceSeconds ? SequencerState.Up : SequencerState.Grace;
    }
}
