// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {StorageSlot} from "@openzeppelin/contracts/utils/StorageSlot.sol";
import {
    IMarginVault,
    AbsorbPreview,
    CashView,
    Health,
    LiquidationPreview,
    MarketView,
    PositionView
} from "./interfaces/IMarginVault.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {Administration} from "./libraries/Administration.sol";
import {Authority} from "./libraries/Authority.sol";
import {CashBook} from "./libraries/CashBook.sol";
import {CollateralSale} from "./libraries/CollateralSale.sol";
import {Custody} from "./libraries/Custody.sol";
import {Deferral} from "./libraries/Deferral.sol";
import {Delisting} from "./libraries/Delisting.sol";
import {PartialLiquidation} from "./libraries/PartialLiquidation.sol";
import {PoolResolution} from "./libraries/PoolResolution.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {Sides} from "./libraries/Sides.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Views} from "./libraries/Views.sol";
import {Waterfall} from "./libraries/Waterfall.sol";
import {AccountId} from "./types/AccountId.sol";
import {MarketId} from "./types/AssetSet.sol";
import {CashParameters} from "./types/CashWords.sol";
import {MarketParameters, SideWord} from "./types/MarketWords.sol";
import {PERMISSION_SET_MODE} from "./types/Permissions.sol";
import {AccountRamp, CollateralRamp, MarketRamp} from "./types/RampWords.sol";
import {Context, Market} from "./types/VaultStorage.sol";
import {AccountParameters, AccountRisk, Capital, CollateralParameters} from "./types/VaultWords.sol";
import {VaultBase} from "./VaultBase.sol";

/// @title The vault's rarer entry points: operators, upkeep, administration
/// @notice Code that runs on the vault's storage: MarginVault hands these calls on as they are, so its size is left to what must be cheap.
/// Each is documented in IMarginVault. Called by itself it has no vault around it and holds nothing: all that it can write is storage of
/// its own (a caller's operators and nonces), which no vault reads.
contract VaultExtension is VaultBase {
    constructor() AccessManaged(address(0)) {}

    /// @dev What stands in the vault's code is asked of the vault.
    function _context() internal view override returns (Context memory) {
        IMarginVault vault = IMarginVault(address(this));
        address cashToken = vault.settlementToken();
        return
            Context(
                vault.oracle(),
                vault.poolAccount(),
                vault.insuranceAccount(),
                cashToken,
                10 ** (18 - IERC20Metadata(cashToken).decimals()),
                CashBook.open($)
            );
    }

    // ------------------------------------------------------------------ accounts

    function setMode(AccountId account, uint256 mode) external payable valueOnlyInMulticall nonReentrant {
        _authorize(account, PERMISSION_SET_MODE);
        Custody.setMode($, _context(), account, mode);
    }

    function setOperator(
        AccountId account,
        address operator,
        uint256 permissions
    ) external payable valueOnlyInMulticall nonReentrant {
        Authority.setOperator($, account, operator, permissions);
    }

    function setOperatorBySig(
        AccountId account,
        address operator,
        uint256 permissions,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external payable valueOnlyInMulticall nonReentrant {
        Authority.setOperatorBySig($, account, operator, permissions, nonce, deadline, signature);
    }

    function revokeSignatures() external payable valueOnlyInMulticall nonReentrant {
        Authority.revokeSignatures($);
    }

    function depositWithPermit(
        AccountId account,
        address token,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external payable valueOnlyInMulticall nonReentrant {
        Custody.deposit($, _context(), account, token, amount);
        // Whoever sends the permit first makes this one fail and leaves the allowance that it gives. Without one, the pull fails.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        Tokens.pull(token, amount);
    }

    // ------------------------------------------------------------------ upkeep, by anyone

    function updatePrices(bytes[] calldata updates) external payable nonReentrant {
        _checkDeferred(); // or a position without margin could have the old price and the new one in one transaction
        IPriceOracle oracle = IMarginVault(address(this)).oracle();
        uint256 fee = oracle.pythFee(updates);
        require(fee <= address(this).balance, IMarginVault.UpdateFeeMissing(fee, address(this).balance));
        oracle.updatePyth{value: fee}(updates);
        if (!Deferral.isActive()) _giveBack();
    }

    function sweepFees(MarketId id) external payable valueOnlyInMulticall nonReentrant {
        _requireListed(id);
        Settlement.sweepFees($, _context(), id);
    }

    function sweepInterest() external payable valueOnlyInMulticall nonReentrant {
        Settlement.sweepInterest($, _context());
    }

    function cover() external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Settlement.cover($, _context());
    }

    function resolvePool() external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        PoolResolution.resolvePool($, _context());
    }

    function delist(MarketId id) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Delisting.delist($, _context(), id);
    }

    function rampMarket(MarketId id) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Administration.rampMarket($, _context(), id);
    }

    function rampCollateral(address token) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Administration.rampCollateral($, _collateralIndex(token));
    }

    function rampAccounts() external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Administration.rampAccounts($);
    }

    // ------------------------------------------------------------------ administration

    function listMarket(MarketParameters calldata parameters) external restricted nonReentrant returns (MarketId id) {
        Context memory context = _context();
        uint256 reserve;
        (id, reserve) = Administration.listMarket($, context, parameters);
        Tokens.pull(context.settlementToken, reserve);
    }

    function setMarketParameters(MarketId id, MarketParameters calldata parameters) external restricted nonReentrant {
        Administration.setMarketParameters($, _context(), id, parameters);
    }

    function announceDelisting(MarketId id, uint256 due, uint256 finalPriceWad) external restricted nonReentrant {
        _requireListed(id);
        Delisting.announce($, _context(), id, due, finalPriceWad);
    }

    function listCollateral(
        address token,
        CollateralParameters calldata parameters
    ) external restricted nonReentrant returns (uint256 index) {
        return Administration.listCollateral($, _context(), token, parameters);
    }

    function setCollateralParameters(
        address token,
        CollateralParameters calldata parameters
    ) external restricted nonReentrant {
        Administration.setCollateralParameters($, _context(), token, parameters);
    }

    function setAccountParameters(AccountParameters calldata parameters) external restricted nonReentrant {
        Administration.setAccountParameters($, parameters);
    }

    function setCashParameters(CashParameters calldata parameters) external restricted nonReentrant {
        Administration.setCashParameters($, _context(), parameters);
    }

    function haltMarket(MarketId id) external restricted nonReentrant {
        _requireListed(id);
        Administration.setMarketHalted($, _context(), id, true);
    }

    function resumeMarket(MarketId id) external restricted nonReentrant {
        _requireListed(id);
        Administration.setMarketHalted($, _context(), id, false);
    }

    function haltBorrowing() external restricted nonReentrant {
        Administration.setBorrowingHalted($, true);
    }

    function resumeBorrowing() external restricted nonReentrant {
        Administration.setBorrowingHalted($, false);
    }

    // ------------------------------------------------------------------ views

    function healths(AccountId[] calldata accounts) external view returns (Health[] memory answer) {
        return Views.healths($, _context(), accounts);
    }

    function position(AccountId account, MarketId market_) external view returns (PositionView memory) {
        _requireListed(market_);
        return Views.position($, _context(), account, market_);
    }

    function market(MarketId id) external view returns (MarketView memory) {
        _requireListed(id);
        Market storage m = $.markets[id];
        return
            MarketView(
                m.state,
                m.totals,
                m.risk,
                m.terms,
                m.discount,
                $.positions[IMarginVault(address(this)).poolAccount()][id],
                m.longSide,
                m.shortSide,
                m.epochs
            );
    }

    function cashView() external view returns (CashView memory) {
        return
            CashView($.cashIndices, $.cashTotals, $.cashTerms, $.poolLosses, $.writeOffs, $.interestUnswept, $.badDebt);
    }

    function epochEnd(MarketId id, bool long, uint256 epoch) external view returns (SideWord) {
        return $.markets[id].ends[Sides.endKey(long, epoch)];
    }

    function accountRisk() external view returns (AccountRisk) {
        return $.accountRisk;
    }

    function capital() external view returns (Capital) {
        return $.capital;
    }

    function marketRamp(MarketId id) external view returns (MarketRamp memory) {
        return $.marketRamps[id];
    }

    function collateralRamp(address token) external view returns (CollateralRamp memory) {
        return $.collateralRamps[_collateralIndex(token)];
    }

    function accountRamp() external view returns (AccountRamp memory) {
        return $.accountRamp;
    }

    function previewLiquidation(
        AccountId account,
        MarketId market_,
        uint256 maxSizeWad,
        AccountId taker
    ) external view returns (LiquidationPreview memory) {
        _requireListed(market_);
        return PartialLiquidation.previewLiquidation($, _context(), account, market_, maxSizeWad, taker);
    }

    function previewBuyCollateral(address token, uint256 amount) external view returns (uint256 costWad) {
        return CollateralSale.previewBuyCollateral($, _context(), _collateralIndex(token), amount);
    }

    function previewAbsorb(AccountId account) external view returns (AbsorbPreview memory) {
        return Waterfall.previewAbsorb($, _context(), account);
    }

    function permissionsOf(AccountId account, address operator) external view returns (uint256) {
        return $.permissionsOf[account][operator];
    }

    function nonces(address owner) external view returns (uint256) {
        return $.nonces[owner];
    }

    function borrowingHalted() external view returns (bool) {
        return $.borrowingHalted;
    }

    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory words) {
        words = new bytes32[](slots.length);
        for (uint256 i; i < slots.length; ++i) words[i] = StorageSlot.getBytes32Slot(slots[i]).value;
    }

    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (
            Authority.DOMAIN_FIELDS,
            Authority.NAME,
            Authority.VERSION,
            block.chainid,
            address(this),
            bytes32(0),
            new uint256[](0)
        );
    }
}
