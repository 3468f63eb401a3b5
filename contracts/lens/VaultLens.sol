// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault, AbsorbPreview, Health, LiquidationPreview} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {MarketId, lowestBit} from "../types/AssetSet.sol";

/// @notice An account at risk: its margin, and what each step of the waterfall would do with it now.
struct RiskView {
    AccountId account;
    Health health;
    bool absorbOpen;
    MarketId[] markets;
    LiquidationPreview[] legs;
}

/// @title Views of many accounts in one call
/// @notice The vault never uses it; a keeper or a page may.
contract VaultLens {
    IMarginVault public immutable vault;

    constructor(IMarginVault vault_) {
        vault = vault_;
    }

    /// @notice The margins of these accounts, in their order.
    function healths(AccountId[] calldata accounts) external view returns (Health[] memory answer) {
        answer = new Health[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) answer[i] = vault.health(accounts[i]);
    }

    /// @notice Those of these accounts that anyone may liquidate now.
    function liquidatable(AccountId[] calldata accounts) external view returns (AccountId[] memory answer) {
        answer = new AccountId[](accounts.length);
        uint256 found;
        for (uint256 i; i < accounts.length; ++i) {
            if (_isLiquidatable(vault.health(accounts[i]))) answer[found++] = accounts[i];
        }
        assembly ("memory-safe") {
            mstore(answer, found) // shortens it in place: found is at most its length
        }
    }

    /// @notice Of these accounts those that are liquidatable, with what each step of the waterfall would do.
    function atRisk(AccountId[] calldata accounts) external view returns (RiskView[] memory answer) {
        answer = new RiskView[](accounts.length);
        uint256 found;
        AccountId pool = vault.poolAccount();
        AccountId insurance = vault.insuranceAccount();
        for (uint256 i; i < accounts.length; ++i) {
            if (accounts[i] == pool || accounts[i] == insurance) continue; // never targets
            Health memory health = vault.health(accounts[i]);
            if (!_isLiquidatable(health)) continue;
            answer[found++] = _riskOf(accounts[i], health);
        }
        assembly ("memory-safe") {
            mstore(answer, found) // shortens it in place
        }
    }

    function _isLiquidatable(Health memory health) private pure returns (bool) {
        return health.equityMaintenanceWad < int256(health.requirementMaintenanceWad);
    }

    function _riskOf(AccountId account, Health memory health) private view returns (RiskView memory risk) {
        risk.account = account;
        risk.health = health;
        risk.absorbOpen = vault.previewAbsorb(account).open;
        AccountWord word = vault.accountWord(account);
        uint256 positions = word.assets().count();
        uint256 bits = word.marketBits();
        risk.markets = new MarketId[](positions);
        risk.legs = new LiquidationPreview[](positions);
        uint256 i;
        for (; bits != 0; bits &= bits - 1) {
            risk.markets[i] = MarketId.wrap(uint8(lowestBit(bits)));
            risk.legs[i] = vault.previewLiquidation(account, risk.markets[i], type(uint256).max);
            ++i;
        }
        MarketId[] memory markets = risk.markets;
        LiquidationPreview[] memory legs = risk.legs;
        assembly ("memory-safe") {
            mstore(markets, i)
            mstore(legs, i)
        }
    }
}
