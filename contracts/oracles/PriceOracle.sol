// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle, SequencerState} from "../interfaces/IPriceOracle.sol";
import {AssetSet, MAX_MARKETS, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {LiveSource, SourceKind} from "../types/PriceSource.sol";
import {LiveFeed} from "./LiveFeed.sol";
import {PushFeed} from "./PushFeed.sol";

/// @title Router from an asset to its price
/// @notice One storage word an asset holds its last good price, whatever feed it came from. Of a push-fed asset that is the price, so
/// reading it costs a single slot; of others a mark in it says how the price is worked out.
contract PriceOracle is PushFeed, LiveFeed {
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IPriceOracle
    function prices(AssetSet assets) external view returns (Price[] memory answer) {
        answer = _lastPrices(assets);
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) {
            if (answer[i].isFresh()) continue;
            uint256 asset = lowestBit(bits);
            require(answer[i].value() != 0, PriceMissing(asset));
            Price word = _lastPrice[asset];
            _requireFresh(asset, word, _judge(asset, word));
            _requireSequencer();
        }
    }

    /// @inheritdoc IPriceOracle
    function lastPrices(AssetSet assets) external view returns (Price[] memory) {
        Price[] memory answer = _lastPrices(assets);
        assembly ("memory-safe") {
            // An answer is the place of the array, its length, its words. It stands so already, but for the place, which may go over
            // whatever is before the array: this ends the call.
            let start := sub(answer, 32)
            mstore(start, 32)
            return(start, add(64, mul(32, mload(answer))))
        }
    }

    /// @inheritdoc IPriceOracle
    function mostTolerance(uint256 asset) external view returns (uint256 toleranceWad) {
        Price word = _lastPrice[asset];
        toleranceWad = word.tolerance();
        LiveSource storage source = _firstSource[asset];
        if (!_isReadLive(asset, word) || source.kind != SourceKind.Pyth) return toleranceWad;
        toleranceWad = _agedUp(source.toleranceWad, word.maxAge()) + source.maxConfidenceWad;
        if (toleranceWad > MAX_TOLERANCE_WAD) toleranceWad = MAX_TOLERANCE_WAD;
    }

    function _lastPrices(AssetSet assets) private view returns (Price[] memory answer) {
        answer = new Price[](assets.count());
        uint256 seen; // every word that was read, one over the other
        // Both counters stay below 128.
        unchecked {
            uint256 next;
            for ((uint256 bits, uint256 i) = (assets.markets(), 0); bits != 0; (++i, bits >>= 1)) {
                if (bits & 1 == 0) continue;
                Price price = _lastPrice[i].asOf(block.timestamp);
                answer[next++] = price;
                seen |= Price.unwrap(price);
            }
            for ((uint256 bits, uint256 i) = (assets.collaterals(), MAX_MARKETS); bits != 0; (++i, bits >>= 1)) {
                if (bits & 1 == 0) continue;
                Price price = _lastPrice[i].asOf(block.timestamp);
                answer[next++] = price;
                seen |= Price.unwrap(price);
            }
        }
        if (Price.wrap(seen).isWorkedOut()) _workOut(assets, answer);
    }

    /// @dev The loops above take every word for a price, fresh or not; here those that are not are worked out. Apart from them, so that
    /// an asset that is only pushed pays nothing for it.
    function _workOut(AssetSet assets, Price[] memory answer) private view {
        bool isAsked;
        SequencerState state;
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) {
            if (!answer[i].isWorkedOut()) continue;
            Price word = answer[i].asStored();
            uint256 asset = lowestBit(bits);
            Price price = _priceNow(asset, word);
            if (word.isGated()) {
                if (!isAsked) (isAsked, state) = (true, _sequencerState());
                price = _throughGate(price, state);
            }
            answer[i] = price;
        }
    }
}
