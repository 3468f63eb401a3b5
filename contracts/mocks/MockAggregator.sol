// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";

/// @title A Chainlink aggregator for tests and the local chain: anyone sets its answers, and how it behaves
contract MockAggregator is IAggregatorV3 {
    enum Conduct {
        Answers,
        /// Answers only if it has `gasNeeded` left, else reverts at once and gives the rest back.
        AnswersWithGas,
        Reverts,
        /// Reverts with as much data as its gas pays for.
        RevertsWithBomb,
        BurnsAllGas,
        /// Returns the first four words of its round.
        ReturnsTooLittle,
        /// Returns its round and zeros, `bombSize` bytes in all.
        ReturnsBomb
    }

    /// @notice A round as it is returned, whether or not its words are of the types that they should be.
    struct Round {
        uint256 roundId;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint256 answeredInRound;
    }

    uint8 public decimals;
    Conduct public conduct;
    uint256 public gasNeeded;
    uint256 public bombSize;
    Round public round;

    error OutOfOrder();

    constructor(uint8 decimals_, int256 answer) {
        decimals = decimals_;
        setAnswer(answer, block.timestamp);
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setConduct(Conduct conduct_, uint256 gasNeeded_, uint256 bombSize_) external {
        (conduct, gasNeeded, bombSize) = (conduct_, gasNeeded_, bombSize_);
    }

    function setRound(Round calldata round_) external {
        round = round_;
    }

    /// @notice Answers a new round, in the aggregator's decimals.
    function setAnswer(int256 answer, uint256 updatedAt) public {
        uint256 id = round.roundId + 1;
        round = Round(id, answer, updatedAt, updatedAt, id);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        Conduct how = conduct;
        require(how != Conduct.Reverts, OutOfOrder());
        if (how == Conduct.AnswersWithGas) require(gasleft() >= gasNeeded, OutOfOrder());
        if (how == Conduct.BurnsAllGas)
            assembly ("memory-safe") {
                invalid()
            }
        if (how == Conduct.RevertsWithBomb)
            assembly ("memory-safe") {
                revert(0, 200000)
            }
        Round memory answer = round;
        uint256 size = 160;
        if (how == Conduct.ReturnsTooLittle) size = 128;
        if (how == Conduct.ReturnsBomb) size = bombSize;
        assembly ("memory-safe") {
            return(answer, size)
        }
    }
}
