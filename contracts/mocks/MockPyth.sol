// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockPyth as PythMock} from "@pythnetwork/pyth-sdk-solidity/MockPyth.sol";
import {PythStructs} from "@pythnetwork/pyth-sdk-solidity/PythStructs.sol";

/// @title Pyth's own mock for tests and the local chain: anyone brings prices, and sets how it behaves when it is read
contract MockPyth is PythMock {
    enum Conduct {
        Answers,
        /// Answers only if it has `amount` gas left, else reverts at once and gives the rest back.
        AnswersWithGas,
        Reverts,
        /// Reverts with as much data as its gas pays for.
        RevertsWithBomb,
        BurnsAllGas,
        /// Returns the first three words of its price.
        ReturnsTooLittle,
        /// Returns its price and zeros, `amount` bytes in all.
        ReturnsBomb,
        /// Returns the words that it was given, whether or not they are of the types that they should be.
        ReturnsWords
    }

    Conduct public conduct;
    uint256 public amount;
    uint256[4] public words;

    error OutOfOrder();

    constructor(uint256 feeWei) PythMock(60, feeWei) {}

    function setConduct(Conduct conduct_, uint256 amount_) external {
        (conduct, amount) = (conduct_, amount_);
    }

    function setWords(uint256[4] calldata words_) external {
        (conduct, words) = (Conduct.ReturnsWords, words_);
    }

    /// @notice The update data of one price, as `updatePriceFeeds` takes it.
    function updateOf(
        bytes32 id,
        int64 price,
        uint64 confidence,
        int32 exponent,
        uint64 publishTime
    ) external pure returns (bytes memory) {
        return createPriceFeedUpdateData(id, price, confidence, exponent, price, confidence, publishTime, 0);
    }

    function getPriceUnsafe(bytes32 id) public view override returns (PythStructs.Price memory price) {
        Conduct how = conduct;
        require(how != Conduct.Reverts, OutOfOrder());
        if (how == Conduct.AnswersWithGas) require(gasleft() >= amount, OutOfOrder());
        if (how == Conduct.BurnsAllGas)
            assembly ("memory-safe") {
                invalid()
            }
        if (how == Conduct.RevertsWithBomb)
            assembly ("memory-safe") {
                revert(0, 200000)
            }
        if (how == Conduct.ReturnsWords) {
            uint256[4] memory given = words;
            assembly ("memory-safe") {
                return(given, 128)
            }
        }
        price = super.getPriceUnsafe(id);
        uint256 size = 128;
        if (how == Conduct.ReturnsTooLittle) size = 96;
        if (how == Conduct.ReturnsBomb) size = amount;
        assembly ("memory-safe") {
            return(price, size)
        }
    }
}
