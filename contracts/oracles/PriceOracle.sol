// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {AssetSet, MAX_MARKETS, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {ChainlinkFeed} from "./ChainlinkFeed.sol";
import {PushFeed} from "./PushFeed.sol";

/// @title Router from an asset to its price
/// @notice One storage word an asset holds its last good price, whatever feed it came from. Of a push-fed asset that is the price, so
/// reading it costs a single slot; of a Chainlink-fed one it is the fallback, whose mark says that the price is read elsewhere.
contract PriceOracle is PushFeed, ChainlinkFeed {
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IPriceOracle
    function prices(AssetSet assets) external view returns (Price[] memory answer) {
        answer = _lastPrices(assets);
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; ++i) {
            if (!answer[i].isFresh()) {
                uint256 asset = lowestBit(bits);
                require(answer[i].value() != 0, PriceMissing(asset));
                if (answer[i].isFallback()) _requireLive(asset);
                revert PriceStale(asset, answer[i].publishedAt(), answer[i].maxAge());
            }
            bits &= bits - 1;
        }
    }

    /// @inheritdoc IPriceOracle
    function lastPrices(AssetSet assets) external view returns (Price[] memory) {
        return _lastPrices(assets);
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
        if (Price.wrap(seen).isFallback()) _replaceFallbacks(assets, answer);
    }

    /// @dev The loops above take a fallback for a price, fresh or not; here it is read anew. Apart from them, so that a push-fed asset
    /// pays nothing for it.
    function _replaceFallbacks(AssetSet assets, Price[] memory answer) private view {
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) {
            if (!answer[i].isFallback()) continue;
            uint256 asset = lowestBit(bits);
            answer[i] = _livePrice(asset, _lastPrice[asset]);
        }
    }
}
