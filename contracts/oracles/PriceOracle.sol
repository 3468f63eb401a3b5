// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {AssetSet, MAX_MARKETS, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {PushFeed} from "./PushFeed.sol";

/// @title Router from an asset to its price
/// @notice One storage word an asset holds its last good price, whatever feed it came from, so that reading one costs a single slot.
/// The feeds deliver into that word; so far there is one, PushFeed.
contract PriceOracle is IPriceOracle, PushFeed {
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IPriceOracle
    function prices(AssetSet assets) external view returns (Price[] memory answer) {
        answer = _lastPrices(assets);
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; ++i) {
            if (!answer[i].isFresh()) {
                uint256 asset = lowestBit(bits);
                require(answer[i].value() != 0, PriceMissing(asset));
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
        uint256 next;
        for ((uint256 bits, uint256 i) = (assets.markets(), 0); bits != 0; (++i, bits >>= 1)) {
            if (bits & 1 == 1) answer[next++] = _lastPrice[i].asOf(block.timestamp);
        }
        for ((uint256 bits, uint256 i) = (assets.collaterals(), MAX_MARKETS); bits != 0; (++i, bits >>= 1)) {
            if (bits & 1 == 1) answer[next++] = _lastPrice[i].asOf(block.timestamp);
        }
    }
}
