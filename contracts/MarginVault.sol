// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
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
import {CashBook} from "./libraries/CashBook.sol";
import {CollateralSale} from "./libraries/CollateralSale.sol";
import {Custody} from "./libraries/Custody.sol";
import {Deal, Deals} from "./libraries/Deals.sol";
import {Deferral} from "./libraries/Deferral.sol";
import {FixedPoint, WAD} from "./libraries/FixedPoint.sol";
import {Ledger} from "./libraries/Ledger.sol";
import {Margin, Sums} from "./libraries/Margin.sol";
import {PartialLiquidation} from "./libraries/PartialLiquidation.sol";
import {PoolValue} from "./libraries/PoolValue.sol";
import {Prices} from "./libraries/Prices.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Views} from "./libraries/Views.sol";
import {Waterfall} from "./libraries/Waterfall.sol";
import {LiquidityPool} from "./pool/LiquidityPool.sol";
import {AccountId, accountIdOf} from "./types/AccountId.sol";
import {Account} from "./types/Account.sol";
import {AccountWord} from "./types/AccountWord.sol";
import {AssetSet, MarketId, marketAsset} from "./types/AssetSet.sol";
import {CashParameters, INDEX_ONE, toCashIndices} from "./types/CashWords.sol";
import {CLOSING, DELISTED, DiscountTerms, HALTED, MarketParameters, SideWord} from "./types/MarketWords.sol";
import {PERMISSION_TAKE, PERMISSION_TRADE, PERMISSION_TRANSFER, PERMISSION_WITHDRAW} from "./types/Permissions.sol";
import {Price} from "./types/Price.sol";
import {AccountRamp, CollateralRamp, MarketRamp} from "./types/RampWords.sol";
import {Context} from "./types/VaultStorage.sol";
import {AccountParameters, AccountRisk, Capital, Collateral, CollateralParameters} from "./types/VaultWords.sol";
import {VaultBase} from "./VaultBase.sol";
import {VaultExtension} from "./VaultExtension.sol";

/// @title Ballast's margin vault
/// @notice The story. Each entry point is one recipe: authority, time passes, effects, checks that need the new state, event, and the token
/// moves last. Trade, custody and settlement are compiled into it; liquidation stands in libraries linked to it; what is rare, such as
/// administration, in an extension that runs on this storage.
contract MarginVault is IMarginVault, VaultBase {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;
    using Margin for Sums;

    /// @notice Where prices come from.
    IPriceOracle public immutable oracle;
    /// @notice The liquidity pool, deployed by this vault.
    LiquidityPool public immutable pool;
    address public immutable settlementToken;
    /// Wad for one raw unit of the settlement token.
    uint256 private immutable _cashUnit;
    /// @notice The code of the rarer entry points.
    VaultExtension public immutable extension;

    /// @param poolLockSeconds how long shares of the pool are locked after a deposit, at most 30 days
    constructor(
        address authority,
        IPriceOracle oracle_,
        address settlementToken_,
        uint256 poolLockSeconds,
        VaultExtension extension_
    ) AccessManaged(authority) {
        require(poolLockSeconds <= 30 days, ParameterOutOfBounds("poolLock <= 30 days"));
        require(address(extension_).code.length != 0, ParameterOutOfBounds("extension has code"));
        uint256 decimals = IERC20Metadata(settlementToken_).decimals();
        require(decimals <= 18, TooManyDecimals(settlementToken_, decimals));
        oracle = oracle_;
        extension = extension_;
        settlementToken = settlementToken_;
        _cashUnit = 10 ** (18 - decimals);
        $.cashIndices = toCashIndices(INDEX_ONE, INDEX_ONE, 0, 0, block.timestamp);
        emit CashChanged($.cashIndices, $.cashTotals, 0);
        pool = new LiquidityPool(IERC20(settlementToken_), poolLockSeconds);
    }

    // ------------------------------------------------------------------ many at once

    /// @inheritdoc IMarginVault
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory results) {
        Deferral.begin();
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) results[i] = Address.functionDelegateCall(address(this), calls[i]);
        Deferral.end();
        _checkDeferred();
        _giveBack();
    }

    // ------------------------------------------------------------------ custody

    /// @inheritdoc IMarginVault
    function deposit(
        AccountId account,
        address token,
        uint256 amount
    ) external payable valueOnlyInMulticall nonReentrant {
        Custody.deposit($, _context(), account, token, amount);
        Tokens.pull(token, amount);
    }

    /// @inheritdoc IMarginVault
    function withdraw(
        AccountId account,
        address token,
        uint256 amount,
        address to
    ) external payable valueOnlyInMulticall nonReentrant {
        _authorize(account, PERMISSION_WITHDRAW);
        Custody.withdraw($, _context(), account, token, amount, to);
        Tokens.push(token, to, amount);
    }

    /// @inheritdoc IMarginVault
    function transfer(
        AccountId from,
        AccountId to,
        address token,
        uint256 amount
    ) external payable valueOnlyInMulticall nonReentrant {
        _authorize(from, PERMISSION_TRANSFER);
        Custody.transfer($, _context(), from, to, token, amount);
    }

    // ------------------------------------------------------------------ trade

    /// @inheritdoc IMarginVault
    function trade(
        AccountId account,
        MarketId market_,
        int256 sizeDeltaWad,
        uint256 limitPriceWad,
        uint256 deadline
    ) external payable valueOnlyInMulticall nonReentrant {
        _authorize(account, PERMISSION_TRADE);
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        require(sizeDeltaWad != 0, ZeroAmount());
        _requireListed(market_);

        Context memory context = _context();
        Account word = Ledger.load($, context, account);
        AccountRisk risk = $.accountRisk;
        AssetSet assets = Ledger.assetsWith(word, market_);
        Price[] memory prices = Prices.all(oracle, assets);
        Price price = prices[assets.rank(marketAsset(market_))];
        _requirePrice(price.isUsable(), market_, price);

        Deal memory deal;
        deal.load($, context, account, word, Ledger.load($, context, context.pool), market_, price);
        deal.finish();
        // The account's margin without this position, which is added as it was or as it will be.
        Sums memory sums = Margin.collect($, account, word, assets, prices, false, marketAsset(market_));
        int256 sizeBefore = deal.size();
        bool grows = !sizeBefore.opposes(sizeDeltaWad) || sizeDeltaWad.abs() > sizeBefore.abs();
        uint256 healthBeforeWad;
        if (grows) _requireOpen(deal);
        else healthBeforeWad = _healthWith(Margin.copy(sums), deal, risk).healthWad;

        deal.setFees(price.tolerance());
        (uint256 fillPriceWad, uint256 feeWad, int256 realizedWad) = deal.fill(sizeDeltaWad, risk.insuranceFeeShare());
        _requireWithinLimit(sizeDeltaWad, fillPriceWad, limitPriceWad);

        int256 sizeAfter = deal.size();
        if (sizeAfter != 0) {
            uint256 minimum = deal.terms.minimumSize();
            require(sizeAfter.abs() >= minimum, PositionBelowMinimum(market_, sizeAfter.abs(), minimum));
        }
        Deals.store($, context, deal);
        Deals.saveWords($, context, deal);
        CashBook.save($, context);

        if (grows) {
            _requireOpeningAllowed(deal, sizeAfter > 0);
            if (!Deferral.put(account, grows)) {
                Ledger.requireDebtAboveMinimum(account, deal.accountWord, risk);
                deal.addTo(sums);
                sums.requireCovered(deal.accountWord.cash(), risk, account);
            }
        } else {
            _requireReductionAllowed(account, healthBeforeWad, _healthWith(sums, deal, risk));
        }
        emit Traded(account, market_, sizeDeltaWad, fillPriceWad, feeWad, realizedWad);
    }

    /// @dev The account's margin with the deal's position, which is added to the sums, and cash as they now stand.
    function _healthWith(Sums memory sums, Deal memory deal, AccountRisk risk) private pure returns (Health memory) {
        deal.addTo(sums);
        return Margin.total(sums, deal.accountWord.cash(), risk);
    }

    function _requirePrice(bool good, MarketId market_, Price price) private pure {
        require(good, StaleMarketPrice(market_, price.publishedAt(), price.maxAge()));
    }

    function _requireWithinLimit(int256 sizeDeltaWad, uint256 fillPriceWad, uint256 limitPriceWad) private pure {
        bool within =
            limitPriceWad == 0 || (sizeDeltaWad > 0 ? fillPriceWad <= limitPriceWad : fillPriceWad >= limitPriceWad);
        require(within, LimitExceeded(fillPriceWad, limitPriceWad));
    }

    function _requireOpen(Deal memory deal) private view {
        _requirePrice(deal.price.isFresh(), deal.market, deal.price);
        require(!deal.state.has(HALTED), MarketHalted(deal.market));
        if (!deal.state.has(CLOSING)) return;
        require(!deal.state.has(DELISTED), MarketDelisted(deal.market));
        revert MarketClosing(deal.market, $.markets[deal.market].epochs.delistAt());
    }

    /// @dev The cap a side, and the pool's capital behind the market. Capital is a checkpoint, so that a trade costs the same however
    /// many markets there are.
    function _requireOpeningAllowed(Deal memory deal, bool long) private view {
        deal.requireRoom();
        Ledger.requireFewAssets(deal.account, deal.accountWord);
        uint256 grown = deal.openInterest(long);
        uint256 cap = deal.terms.openInterestCap();
        require(grown <= cap, OpenInterestCapExceeded(deal.market, grown, cap));

        Capital checkpoint = $.capital;
        bool recent = block.timestamp <= checkpoint.takenAt() + checkpoint.maxAge();
        require(recent, CapitalCheckpointStale(checkpoint.takenAt(), checkpoint.maxAge()));
        uint256 other = deal.openInterest(!long);
        uint256 openInterest = grown > other ? grown : other;
        uint256 needed;
        uint256 available;
        unchecked {
            // a size has 104 bits, a price 96, ratios 64, capital 128
            needed = ((openInterest * deal.venue.priceWad).divUp(WAD) * deal.initialBase()).divUp(WAD);
            available = (checkpoint.capitalValue() * deal.terms.capitalShare()) / WAD;
        }
        require(needed <= available, PoolCapitalExceeded(deal.market, needed, available));
    }

    /// @dev A reduction may not leave a bankrupt, and must not lower health unless the account stays above initial margin. In a multicall
    /// one that does waits for the end, which asks for initial margin.
    function _requireReductionAllowed(AccountId account, uint256 healthBeforeWad, Health memory afterwards) private {
        bool allowed =
            afterwards.equityMaintenanceWad >= 0 &&
                (afterwards.healthWad >= healthBeforeWad || afterwards.hasInitialMargin());
        if (allowed || Deferral.put(account, false)) return;
        require(afterwards.equityMaintenanceWad >= 0, ReductionBankrupts(account, afterwards.equityMaintenanceWad));
        revert ReductionLowersHealth(account, healthBeforeWad, afterwards.healthWad);
    }

    // ------------------------------------------------------------------ settle, checkpoint

    /// @inheritdoc IMarginVault
    function settle(AccountId account, MarketId market_) external payable valueOnlyInMulticall nonReentrant {
        _requireListed(market_);
        Settlement.settle($, _context(), account, market_);
    }

    /// @inheritdoc IMarginVault
    function refreshCapital() external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        PoolValue.refreshCapital($, _context());
    }

    // ------------------------------------------------------------------ liquidation

    /// @inheritdoc IMarginVault
    function liquidatePosition(
        AccountId account,
        MarketId market_,
        uint256 maxSizeWad,
        AccountId taker
    ) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        _requireListed(market_);
        Context memory context = _context();
        if (taker != context.pool) _authorize(taker, PERMISSION_TAKE);
        PartialLiquidation.liquidatePosition($, context, account, market_, maxSizeWad, taker);
    }

    /// @inheritdoc IMarginVault
    function liquidateCollateral(
        AccountId account,
        address token,
        uint256 maxAmount,
        AccountId taker
    ) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        _authorize(taker, PERMISSION_TAKE);
        CollateralSale.liquidateCollateral($, _context(), account, _collateralIndex(token), maxAmount, taker);
    }

    /// @inheritdoc IMarginVault
    function absorb(
        AccountId[] calldata accounts,
        AccountId rewardTo
    ) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        Waterfall.absorb($, _context(), accounts, rewardTo);
    }

    /// @inheritdoc IMarginVault
    function buyCollateral(
        AccountId buyer,
        address token,
        uint256 amount,
        uint256 maxCostWad
    ) external payable valueOnlyInMulticall nonReentrant {
        _checkDeferred();
        _authorize(buyer, PERMISSION_TAKE);
        CollateralSale.buyCollateral($, _context(), buyer, _collateralIndex(token), amount, maxCostWad);
    }

    // ------------------------------------------------------------------ handed on to the extension

    /// @inheritdoc IMarginVault
    function setMode(AccountId, uint256) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setOperator(AccountId, address, uint256) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setOperatorBySig(AccountId, address, uint256, uint256, uint256, bytes calldata) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function revokeSignatures() external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function depositWithPermit(AccountId, address, uint256, uint256, uint8, bytes32, bytes32) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function updatePrices(bytes[] calldata) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function sweepFees(MarketId) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function sweepInterest() external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function cover() external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function resolvePool() external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function delist(MarketId) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function rampMarket(MarketId) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function rampCollateral(address) external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function rampAccounts() external payable {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function listMarket(MarketParameters calldata) external returns (MarketId) {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setMarketParameters(MarketId, MarketParameters calldata) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function announceDelisting(MarketId, uint256, uint256) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function listCollateral(address, CollateralParameters calldata) external returns (uint256) {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setCollateralParameters(address, CollateralParameters calldata) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setAccountParameters(AccountParameters calldata) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function setCashParameters(CashParameters calldata) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function haltMarket(MarketId) external {
        _handOn();
    }

    /// @inheritdoc AccessManaged
    function setAuthority(address) public override {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function resumeMarket(MarketId) external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function haltBorrowing() external {
        _handOn();
    }

    /// @inheritdoc IMarginVault
    function resumeBorrowing() external {
        _handOn();
    }

    /// @dev Runs the extension's function of the same name on this storage, with the call as it came; ends as it ends.
    function _handOn() private {
        address code = address(extension);
        assembly ("memory-safe") {
            // Beyond the free memory pointer, because nothing here is read again: this ends the call.
            let start := mload(0x40)
            calldatacopy(start, 0, calldatasize())
            let done := delegatecall(gas(), code, start, calldatasize(), 0, 0)
            returndatacopy(start, 0, returndatasize())
            if done {
                return(start, returndatasize())
            }
            revert(start, returndatasize())
        }
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarginVault
    function health(AccountId account) external view returns (Health memory) {
        return Views.health($, _context(), account);
    }

    /// @inheritdoc IMarginVault
    function cash(AccountId account) external view returns (int256) {
        return Ledger.load($, _context(), account).cash();
    }

    /// @inheritdoc IMarginVault
    function collateral(AccountId account, address token) external view returns (uint256) {
        return $.collateralOf[account][_collateralIndex(token)];
    }

    /// @inheritdoc IMarginVault
    function accountWord(AccountId account) external view returns (AccountWord) {
        return $.accounts[account];
    }

    /// @inheritdoc IMarginVault
    function collateralAt(
        uint256 index
    ) external view returns (address token, Collateral word, DiscountTerms discount) {
        return ($.collateralTokens[index], $.collaterals[index], $.collateralDiscounts[index]);
    }

    /// @inheritdoc IMarginVault
    function totals() external view returns (uint256 markets, uint256 collaterals, uint256 cashHeld) {
        return ($.marketCount, $.collateralCount, $.cashHeld);
    }

    /// @inheritdoc IMarginVault
    function poolValue() external view returns (int256 valueWad, uint256 bandWad, uint256 haircutWad, bool fresh) {
        return PoolValue.read($, _context());
    }

    /// @inheritdoc IMarginVault
    function poolAccount() public view returns (AccountId) {
        return accountIdOf(address(pool), 0);
    }

    /// @inheritdoc IMarginVault
    function insuranceAccount() public view returns (AccountId) {
        return accountIdOf(address(this), 0);
    }

    // ------------------------------------------------------------------ views, handed on to the extension

    /// @inheritdoc IMarginVault
    function healths(AccountId[] calldata) external view returns (Health[] memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function position(AccountId, MarketId) external view returns (PositionView memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function market(MarketId) external view returns (MarketView memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function cashView() external view returns (CashView memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function epochEnd(MarketId, bool, uint256) external view returns (SideWord) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function accountRisk() external view returns (AccountRisk) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function capital() external view returns (Capital) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function marketRamp(MarketId) external view returns (MarketRamp memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function collateralRamp(address) external view returns (CollateralRamp memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function accountRamp() external view returns (AccountRamp memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function previewLiquidation(
        AccountId,
        MarketId,
        uint256,
        AccountId
    ) external view returns (LiquidationPreview memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function previewBuyCollateral(address, uint256) external view returns (uint256) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function previewAbsorb(AccountId) external view returns (AbsorbPreview memory) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function permissionsOf(AccountId, address) external view returns (uint256) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function nonces(address) external view returns (uint256) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function borrowingHalted() external view returns (bool) {
        _handOnView();
    }

    /// @inheritdoc IMarginVault
    function extsload(bytes32[] calldata) external view returns (bytes32[] memory) {
        _handOnView();
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        _handOnView();
    }

    /// @dev The same for a function that only reads: the compiler takes every delegatecall for a write.
    function _handOnView() private view {
        function() view handOn;
        function() write = _handOn;
        assembly ("memory-safe") {
            handOn := write
        }
        handOn();
        assembly ("memory-safe") {
            invalid() // never reached: it has ended the call
        }
    }

    // ------------------------------------------------------------------ shared

    function _context() internal view override returns (Context memory context) {
        context.oracle = oracle;
        context.pool = poolAccount();
        context.insurance = insuranceAccount();
        context.settlementToken = settlementToken;
        context.cashUnit = _cashUnit;
        CashBook.read($, context.cash);
    }
}
