// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {MAX_MARKETS, MAX_COLLATERALS} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";

/// @title The stored price of each asset
/// @notice One word an asset, which whatever feed it has delivers into; and what all feeds have in common.
abstract contract LastPrices is IPriceOracle, AccessManaged {
    uint256 internal constant ASSETS = MAX_MARKETS + MAX_COLLATERALS;
    uint256 internal constant MAX_TOLERANCE_WAD = 0.1e18;
    uint256 private constant MAX_AGE = 30 days;

    mapping(uint256 asset => Price) internal _lastPrice;

    function _requireBounded(uint256 asset, uint256 toleranceWad, uint256 maxAge) internal pure {
        bool bounded = toleranceWad <= MAX_TOLERANCE_WAD && maxAge != 0 && maxAge <= MAX_AGE;
        require(bounded && asset < ASSETS, FeedOutOfBounds(asset, toleranceWad, maxAge));
    }

    function _store(uint256 asset, Price price) internal {
        _lastPrice[asset] = price;
        emit PricePublished(asset, price.value(), price.tolerance(), price.publishedAt());
    }
}
