// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {FeedFault} from "../interfaces/IPriceOracle.sol";
import {FixedPoint, WAD} from "../libraries/FixedPoint.sol";
import {LiveSource} from "../types/PriceSource.sol";
import {Answer} from "./Answer.sol";
import {ANSWER_WORDS, FeedCall} from "./FeedCall.sol";

/// @title What a price id of a Pyth contract tells
/// @notice The last price that anybody has brought to the chain, whatever its age: the source's settings say how old it may be.
library PythReader {
    using FixedPoint for uint256;

    uint256 private constant PRICE_WORDS = 4;
    /// @dev Exponents at which a price is a whole number of wei, and scaling it overflows nothing: 63 bits times 10^36.
    int256 private constant MOST_EXPONENT = 18;

    function read(LiveSource storage source) internal view returns (Answer memory told) {
        uint256[ANSWER_WORDS] memory words;
        (told.fault, words) = FeedCall.ask(source.feed, IPyth.getPriceUnsafe.selector, source.priceId, PRICE_WORDS);
        if (told.fault != FeedFault.None) return told;
        (int256 answer, uint256 confidence, int256 exponent) = (int256(words[0]), words[1], int256(words[2]));
        bool fits = answer == int64(answer) && confidence <= type(uint64).max;
        if (!fits || exponent < -MOST_EXPONENT || exponent > MOST_EXPONENT) {
            told.fault = FeedFault.NoAnswer;
            return told;
        }
        (told.answer, told.updatedAt) = (answer, words[3]);
        if (answer <= 0) return told;
        told.priceWad = uint256(answer) * 10 ** uint256(MOST_EXPONENT + exponent);
        told.confidenceWad = (confidence * WAD).divUp(uint256(answer));
    }
}
