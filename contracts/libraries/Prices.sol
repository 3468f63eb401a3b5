// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {AssetSet, onlyAsset} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";

/// @title The oracle's last prices, taken from its answer as it stands
/// @notice An answer is the place of an array (one word), its length, its words: from its length on it is an array in memory already. The
/// compiler's decoder would copy it once more.
library Prices {
    /// @notice The last prices of a set of assets, in its order, by one call.
    function all(IPriceOracle oracle, AssetSet assets) internal view returns (Price[] memory prices) {
        bytes4 selector = IPriceOracle.lastPrices.selector;
        assembly ("memory-safe") {
            prices := mload(0x40)
            mstore(prices, selector)
            mstore(add(prices, 4), assets)
            if iszero(staticcall(gas(), oracle, prices, 36, 0, 0)) {
                returndatacopy(prices, 0, returndatasize())
                revert(prices, returndatasize())
            }
            let size := sub(returndatasize(), 32)
            returndatacopy(prices, 32, size)
            mstore(0x40, add(prices, size))
        }
    }

    /// @notice The last price of one asset.
    function one(IPriceOracle oracle, uint256 asset) internal view returns (Price) {
        return all(oracle, onlyAsset(asset))[0];
    }
}
