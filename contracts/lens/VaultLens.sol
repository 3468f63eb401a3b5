// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginVault, AbsorbPreview, Health, LiquidationPreview, PositionView} from "../interfaces/IMarginVault.sol";
import {FixedPoint, RAY_SIGNED} from "../libraries/FixedPoint.sol";
import {Sides} from "../libraries/Sides.sol";
import {AccountId} from "../types/AccountId.sol";
import {MarketId, bitCount, lowestBit} from "../types/AssetSet.sol";

/// @notice An account at risk: its margin, and what each step of the waterfall would do with it now; `legs` are those of one taker.
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
    using FixedPoint for int256;

    IMarginVault public immutable vault;

    constructor(IMarginVault vault_) {
        vault = vault_;
    }

    /// @notice Those of these accounts that anyone may liquidate now.
    function liquidatable(AccountId[] calldata accounts) public view returns (AccountId[] memory answer) {
        Health[] memory healths = vault.healths(accounts);
        answer = new AccountId[](accounts.length);
        AccountId pool = vault.poolAccount();
        AccountId insurance = vault.insuranceAccount();
        uint256 found;
        for (uint256 i; i < accounts.length; ++i) {
            AccountId account = accounts[i];
            if (!_isLiquidatable(healths[i]) || account == pool || account == insurance) continue;
            answer[found++] = account;
        }
        assembly ("memory-safe") {
            mstore(answer, found) // shortens it in place: found is at most its length
        }
    }

    /// @notice Of these accounts those that are liquidatable, with what each step of the waterfall would do.
    /// @param taker who would take the legs: the pool's account, or any other. Whether it could bear them is not looked at
    function atRisk(AccountId[] calldata accounts, AccountId taker) external view returns (RiskView[] memory answer) {
        AccountId[] memory found = liquidatable(accounts);
        answer = new RiskView[](found.length);
        for (uint256 i; i < found.length; ++i) answer[i] = _riskOf(found[i], taker);
    }

    /// @notice What one deleveraging did to an account's position, as long as the position has not been touched since: give it what the
    /// event Deleveraged told.
    /// @return sizeWad what it sold of its size: below zero for a long position, above for a short one; zero if the position is of a later
    /// epoch
    /// @return proceedsWad what it got for that, or below zero paid; it stands in the position's value until the position is closed
    function deleveraged(
        AccountId account,
        MarketId market,
        bool long,
        uint256 epoch,
        uint256 soldRay,
        uint256 priceRay
    ) external view returns (int256 sizeWad, int256 proceedsWad) {
        PositionView memory position = vault.position(account, market);
        (int256 shares, uint256 since) = (position.storedSharesWad, position.storedEpoch);
        if (shares == 0 || long != shares > 0 || since > epoch) return (0, 0);
        for (; since < epoch; ++since) (shares, ) = Sides.convertedBy(vault.epochEnd(market, long, since), shares, 0);
        sizeWad = -shares.mulDivFloor(int256(soldRay), RAY_SIGNED);
        proceedsWad = (-sizeWad).mulDivFloor(int256(priceRay), RAY_SIGNED);
    }

    function _isLiquidatable(Health memory health) private pure returns (bool) {
        return health.equityMaintenanceWad < int256(health.requirementMaintenanceWad);
    }

    function _riskOf(AccountId account, AccountId taker) private view returns (RiskView memory risk) {
        AbsorbPreview memory preview = vault.previewAbsorb(account);
        risk.account = account;
        risk.health = preview.health;
        risk.absorbOpen = preview.open;
        uint256 bits = vault.accountWord(account).marketBits();
        risk.markets = new MarketId[](bitCount(bits));
        risk.legs = new LiquidationPreview[](risk.markets.length);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) {
            risk.markets[i] = MarketId.wrap(uint8(lowestBit(bits)));
            risk.legs[i] = vault.previewLiquidation(account, risk.markets[i], type(uint256).max, taker);
        }
    }
}
