// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountWord, MODE_CROSS, MODE_ISOLATED} from "../../../contracts/types/AccountWord.sol";
import {AssetSet} from "../../../contracts/types/AssetSet.sol";
import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

contract AccountWordTest is Test {
    uint256 private constant NOT_PRINCIPAL = ~uint256((1 << 120) - 1);

    function test_StandsAsDocumented() external pure {
        AccountWord full = AccountWord.wrap(type(uint256).max);
        assertEq(full.principal(), -1, "principal");
        assertEq(full.marketBits(), type(uint96).max, "markets");
        assertEq(full.collateralBits(), type(uint32).max, "collaterals");
        assertEq(full.mode(), 255, "mode");
        assertEq(AccountWord.wrap(uint256(1) << 119).principal(), -(1 << 119), "sign of the principal");
        assertEq(AccountWord.wrap(uint256(1) << 120).marketBits(), 1, "first market");
        assertEq(AccountWord.wrap(uint256(1) << 216).collateralBits(), 1, "first collateral");
        assertEq(AccountWord.wrap(uint256(1) << 248).mode(), 1, "mode");
    }

    function testFuzz_ANewPrincipalLeavesTheRestAlone(uint256 bits, int120 principal) external pure {
        AccountWord word = AccountWord.wrap(bits).withPrincipal(principal);
        assertEq(word.principal(), principal, "principal");
        assertEq(AccountWord.unwrap(word) & NOT_PRINCIPAL, bits & NOT_PRINCIPAL, "the rest");
    }

    function testFuzz_AddsAndTakesAwayOneAssetAlone(uint256 bits, uint256 asset) external pure {
        asset = bound(asset, 0, 127);
        AccountWord word = AccountWord.wrap(bits);
        assertTrue(word.withAsset(asset).assets().contains(asset), "added");
        assertTrue(!word.withoutAsset(asset).assets().contains(asset), "taken away");
        uint256 rest = ~(uint256(1) << (120 + asset));
        assertEq(AccountWord.unwrap(word.withAsset(asset)) & rest, bits & rest, "the rest when added");
        assertEq(AccountWord.unwrap(word.withoutAsset(asset)) & rest, bits & rest, "the rest when taken away");
    }

    function testFuzz_ANewModeLeavesTheRestAlone(uint256 bits, uint8 mode) external pure {
        AccountWord word = AccountWord.wrap(bits).withMode(mode);
        assertEq(word.mode(), mode, "mode");
        assertEq(AccountWord.unwrap(word) << 8, bits << 8, "the rest");
    }

    function testFuzz_KeepsItsModeThroughEveryOtherChange(uint256 bits, int120 principal, uint256 asset) external pure {
        asset = bound(asset, 0, 127);
        AccountWord word = AccountWord.wrap(bits);
        assertEq(word.withPrincipal(principal).mode(), word.mode(), "with a principal");
        assertEq(word.withAsset(asset).mode(), word.mode(), "with an asset");
        assertEq(word.withoutAsset(asset).mode(), word.mode(), "without an asset");
    }

    function test_ItsModesAreThoseThatItsCommentNames() external pure {
        assertEq(MODE_CROSS, 0, "cross");
        assertEq(MODE_ISOLATED, 1, "isolated");
        assertEq(AccountWord.unwrap(AccountWord.wrap(0).withMode(MODE_ISOLATED)), 1 << 248, "isolated, in its place");
    }

    function testFuzz_ItsAssetsAreItsMarketsThenItsCollaterals(uint256 bits) external pure {
        AccountWord word = AccountWord.wrap(bits);
        assertEq(AssetSet.unwrap(word.assets()), word.marketBits() | (word.collateralBits() << 96), "assets");
    }

    function test_RefusesAPrincipalAndAModeBeyondTheirBits() external {
        int256 end = 1 << 119;
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 120));
        this.withPrincipal(end);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -end - 1, 120));
        this.withPrincipal(-end - 1);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, 256, 8));
        this.withMode(256);
        assertEq(this.withPrincipal(end - 1).principal(), end - 1, "largest");
        assertEq(this.withPrincipal(-end).principal(), -end, "smallest");
    }

    function withPrincipal(int256 principalWad) external pure returns (AccountWord) {
        return AccountWord.wrap(0).withPrincipal(principalWad);
    }

    function withMode(uint256 mode) external pure returns (AccountWord) {
        return AccountWord.wrap(0).withMode(mode);
    }
}
