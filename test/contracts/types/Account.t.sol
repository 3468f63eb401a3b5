// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account, MODE_CROSS, MODE_ISOLATED, toAccount} from "../../../contracts/types/Account.sol";
import {AccountWord} from "../../../contracts/types/AccountWord.sol";
import {AssetSet} from "../../../contracts/types/AssetSet.sol";
import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

contract AccountTest is Test {
    uint256 private constant NOT_CASH = ~uint256((1 << 120) - 1);

    function test_StandsAsDocumented() external pure {
        Account full = Account.wrap(type(uint256).max);
        assertEq(full.cash(), -1, "cash");
        assertEq(full.marketBits(), type(uint96).max, "markets");
        assertEq(full.collateralBits(), type(uint32).max, "collaterals");
        assertEq(full.mode(), 255, "mode");
        assertEq(Account.wrap(uint256(1) << 119).cash(), -(1 << 119), "sign of the cash");
        assertEq(Account.wrap(uint256(1) << 120).marketBits(), 1, "first market");
        assertEq(Account.wrap(uint256(1) << 216).collateralBits(), 1, "first collateral");
        assertEq(Account.wrap(uint256(1) << 248).mode(), 1, "mode");
    }

    function testFuzz_NewCashLeavesTheRestAlone(uint256 bits, int120 cash) external pure {
        Account word = Account.wrap(bits).withCash(cash);
        assertEq(word.cash(), cash, "cash");
        assertEq(Account.unwrap(word) & NOT_CASH, bits & NOT_CASH, "the rest");
    }

    function testFuzz_HasCashInThePlaceOfItsWordsPrincipal(uint256 bits, int120 cash) external pure {
        Account account = toAccount(AccountWord.wrap(bits), cash);
        assertEq(account.cash(), cash, "cash");
        assertEq(Account.unwrap(account) & NOT_CASH, bits & NOT_CASH, "the rest of the word");
    }

    function testFuzz_CashAddedLeavesTheRestAlone(uint256 bits, int112 amount) external pure {
        Account account = Account.wrap(bits).withCash(int104(int256(bits >> 3)));
        Account richer = account.plusCash(amount);
        assertEq(richer.cash(), account.cash() + amount, "cash");
        assertEq(Account.unwrap(richer) & NOT_CASH, bits & NOT_CASH, "the rest");
    }

    function testFuzz_AddsAndTakesAwayOneAssetAlone(uint256 bits, uint256 asset) external pure {
        asset = bound(asset, 0, 127);
        Account word = Account.wrap(bits);
        assertTrue(word.withAsset(asset).assets().contains(asset), "added");
        assertTrue(!word.withoutAsset(asset).assets().contains(asset), "taken away");
        uint256 rest = ~(uint256(1) << (120 + asset));
        assertEq(Account.unwrap(word.withAsset(asset)) & rest, bits & rest, "the rest when added");
        assertEq(Account.unwrap(word.withoutAsset(asset)) & rest, bits & rest, "the rest when taken away");
    }

    function testFuzz_ANewModeLeavesTheRestAlone(uint256 bits, uint8 mode) external pure {
        Account word = Account.wrap(bits).withMode(mode);
        assertEq(word.mode(), mode, "mode");
        assertEq(Account.unwrap(word) << 8, bits << 8, "the rest");
    }

    function testFuzz_KeepsItsModeThroughEveryOtherChange(uint256 bits, int120 cash, uint256 asset) external pure {
        asset = bound(asset, 0, 127);
        Account word = Account.wrap(bits);
        assertEq(word.withCash(cash).mode(), word.mode(), "with other cash");
        assertEq(word.withAsset(asset).mode(), word.mode(), "with an asset");
        assertEq(word.withoutAsset(asset).mode(), word.mode(), "without an asset");
    }

    function test_ItsModesAreThoseThatItsCommentNames() external pure {
        assertEq(MODE_CROSS, 0, "cross");
        assertEq(MODE_ISOLATED, 1, "isolated");
        assertEq(Account.unwrap(Account.wrap(0).withMode(MODE_ISOLATED)), 1 << 248, "isolated, in its place");
    }

    function testFuzz_ItsAssetsAreItsMarketsThenItsCollaterals(uint256 bits) external pure {
        Account word = Account.wrap(bits);
        assertEq(AssetSet.unwrap(word.assets()), word.marketBits() | (word.collateralBits() << 96), "assets");
    }

    function test_RefusesCashAndAModeBeyondTheirBits() external {
        int256 end = 1 << 119;
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 120));
        this.withCash(end);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -end - 1, 120));
        this.withCash(-end - 1);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, 256, 8));
        this.withMode(256);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 120));
        this.plusCash(end - 1, 1);
        assertEq(this.withCash(end - 1).cash(), end - 1, "largest");
        assertEq(this.withCash(-end).cash(), -end, "smallest");
    }

    function withCash(int256 cashWad) external pure returns (Account) {
        return Account.wrap(0).withCash(cashWad);
    }

    function plusCash(int256 cashWad, int256 amountWad) external pure returns (Account) {
        return Account.wrap(0).withCash(cashWad).plusCash(amountWad);
    }

    function withMode(uint256 mode) external pure returns (Account) {
        return Account.wrap(0).withMode(mode);
    }
}
