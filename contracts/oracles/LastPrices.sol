// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {MAX_MARKETS, MAX_COLLATERALS} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";

/// @title The last good price of each asset
/// @notice One word an asset, which whatever feed it has delivers into; and what all feeds have in common.
abstract contract LastPrices is IPriceOracle, AccessManaged {
    uint256 private constant MAX_TOLERANCE_WAD = 0.1e18;
    uint256 private constant MAX_AGE = 30 days;

    mapping(uint256 asset => Price) internal _lastPrice;

    function _requireBounded(uint256 asset, uint256 toleranceWad, uint256 maxAge) internal pure {
        bool bounded = toleranceWad <= MAX_TOLERANCE_WAD && maxAge != 0 && maxAge <= MAX_AGE;
        require(bounded && asset < MAX_MARKETS + MAX_COLLATERALS, FeedOutOfBounds(asset, toleranceWad, maxAge));
    }

    function _store(uint256 asset, Price price) internal {
        _lastPrice[asset] = price;
        emit PricePublished(asset, price.value(), price.tolerance(), price.publishedAt());
    }

    /// @dev Whether the asset's price is read from an aggregator whenever it is needed.
    function _isReadLive(uint256 asset) internal view virtual returns (bool);

    /// @dev Gives up the aggregator of an asset whose stored price is a fallback. Returns its last price, or if it gives none the
    /// fallback, still marked as one.
    function _leaveAggregator(uint256 asset, Price last) internal virtual returns (Price);
}
