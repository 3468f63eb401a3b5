// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AssetSet,
    MarketId,
    bitCount,
    collateralAsset,
    lowestBit,
    marketAsset,
    onlyAsset
} from "../../../contracts/types/AssetSet.sol";
import {Test} from "../support/Test.sol";

contract AssetSetTest is Test {
    function test_MarketsComeBeforeCollaterals() external pure {
        assertEq(marketAsset(MarketId.wrap(0)), 0, "first market");
        assertEq(marketAsset(MarketId.wrap(95)), 95, "last market");
        assertEq(collateralAsset(0), 96, "first collateral");
        assertEq(collateralAsset(31), 127, "last collateral");
    }

    function test_CountsTheEmptyAndTheFullSet() external pure {
        assertEq(AssetSet.wrap(0).count(), 0, "empty");
        assertEq(AssetSet.wrap(type(uint128).max).count(), 128, "full");
        assertEq(AssetSet.wrap(type(uint128).max).rank(127), 127, "rank of the last");
        assertEq(AssetSet.wrap(type(uint128).max).rank(0), 0, "rank of the first");
    }

    function test_HoldsOneAssetAndNoOther() external pure {
        for (uint256 asset = 0; asset < 128; asset++) {
            AssetSet set = onlyAsset(asset);
            assertEq(set.count(), 1, "one asset");
            assertEq(lowestBit(AssetSet.unwrap(set)), asset, "its number");
            for (uint256 other = 0; other < 128; other++) {
                assertTrue(set.contains(other) == (other == asset), "contains");
            }
        }
    }

    function testFuzz_CountsLikeALoop(uint128 bits) external pure {
        uint256 counted = 0;
        for (uint256 i = 0; i < 128; i++) counted += (bits >> i) & 1;
        assertEq(AssetSet.wrap(bits).count(), counted, "count");
        assertEq(bitCount(bits), counted, "bits");
    }

    function testFuzz_RanksLikeALoop(uint128 bits, uint256 asset) external pure {
        asset = bound(asset, 0, 127);
        uint256 before = 0;
        for (uint256 i = 0; i < asset; i++) before += (bits >> i) & 1;
        assertEq(AssetSet.wrap(bits).rank(asset), before, "rank");
    }

    function testFuzz_FindsTheLowestLikeALoop(uint128 bits, uint256 shift) external pure {
        shift = bound(shift, 0, 127);
        uint256 word = (uint256(bits) << shift) & type(uint128).max;
        if (word == 0) word = 1 << 127;
        uint256 lowest = 0;
        while ((word >> lowest) & 1 == 0) lowest++;
        assertEq(lowestBit(word), lowest, "lowest");
    }

    function testFuzz_AUnionHoldsWhatEitherHolds(uint128 a, uint128 b) external pure {
        AssetSet both = AssetSet.wrap(a) | AssetSet.wrap(b);
        for (uint256 i = 0; i < 128; i++) {
            assertTrue(
                both.contains(i) == (AssetSet.wrap(a).contains(i) || AssetSet.wrap(b).contains(i)),
                "member of the union"
            );
        }
    }

    function testFuzz_ComparesMarkets(uint8 a, uint8 b) external pure {
        assertTrue((MarketId.wrap(a) == MarketId.wrap(b)) == (a == b), "equality");
    }
}
