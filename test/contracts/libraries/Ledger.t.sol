// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault} from "../../../contracts/interfaces/IMarginVault.sol";
import {Ledger} from "../../../contracts/libraries/Ledger.sol";
import {AccountId, accountIdOf} from "../../../contracts/types/AccountId.sol";
import {AccountWord} from "../../../contracts/types/AccountWord.sol";
import {AssetSet, MarketId} from "../../../contracts/types/AssetSet.sol";
import {VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {Test} from "../support/Test.sol";

contract LedgerTest is Test {
    AccountId private immutable ALICE = accountIdOf(address(0xa11ce), 0);
    VaultStorage private $;

    function test_AccountsMayHoldSixteenMarketsAndEightCollaterals() external {
        AccountWord word = _wordWith(16, 8);
        this.requireFewAssets(word);
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.TooManyAssets.selector, ALICE, 16));
        this.requireFewAssets(_wordWith(17, 8));
        vm.expectRevert(abi.encodeWithSelector(IMarginVault.TooManyAssets.selector, ALICE, 8));
        this.requireFewAssets(_wordWith(16, 9));
    }

    function test_CollateralSetsItsBitAndItsLastUnitClearsIt() external {
        AccountWord word = _wordWith(2, 0).withPrincipal(-7);
        AccountWord holding = Ledger.saveCollateral($, ALICE, word, 31, 5);
        assertEq($.collateralOf[ALICE][31], 5, "amount");
        assertTrue(holding.assets().contains(127), "bit");
        assertEq(holding.principal(), -7, "principal");
        AccountWord emptied = Ledger.saveCollateral($, ALICE, holding, 31, 0);
        assertEq($.collateralOf[ALICE][31], 0, "no amount");
        assertEq(AccountWord.unwrap(emptied), AccountWord.unwrap(word), "the word as it was");
    }

    function test_CashMovesInAndOut() external {
        $.accounts[ALICE] = _wordWith(3, 1);
        Ledger.addCash($, ALICE, 10);
        Ledger.addCash($, ALICE, -25);
        assertEq($.accounts[ALICE].principal(), -15, "principal");
        assertTrue($.accounts[ALICE].assets().contains(2), "the rest of the word");
    }

    function testFuzz_TheAssetsOfAnOperationAreTheAccountsAndTheMarket(uint128 held, uint256 market) external pure {
        market = bound(market, 0, 95);
        AccountWord word = AccountWord.wrap(uint256(held) << 120);
        assertEq(
            AssetSet.unwrap(Ledger.assetsWith(word, MarketId.wrap(uint8(market)))),
            held | (1 << market),
            "assets"
        );
    }

    function requireFewAssets(AccountWord word) external view {
        Ledger.requireFewAssets(ALICE, word);
    }

    function _wordWith(uint256 markets, uint256 collaterals) private pure returns (AccountWord word) {
        for (uint256 i = 0; i < markets; i++) word = word.withAsset(i);
        for (uint256 i = 0; i < collaterals; i++) word = word.withAsset(127 - i);
    }
}
