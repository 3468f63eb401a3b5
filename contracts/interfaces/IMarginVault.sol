// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IPriceOracle} from "./IPriceOracle.sol";
import {AccountId} from "../types/AccountId.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {MarketId} from "../types/AssetSet.sol";
import {CashIndices, CashParameters, CashTerms, CashTotals, HourBudget} from "../types/CashWords.sol";
import {
    MarketState,
    MarketTotals,
    MarketRisk,
    MarketTerms,
    DiscountTerms,
    EpochsWord,
    MarketParameters,
    SideWord
} from "../types/MarketWords.sol";
import {Position} from "../types/Position.sol";
import {AccountRamp, CollateralRamp, MarketRamp, RampClock} from "../types/RampWords.sol";
import {
    Collateral,
    AccountRisk,
    Capital,
    CollateralParameters,
    AccountParameters,
    RewardBudget
} from "../types/VaultWords.sol";

/// @notice An account's margin. All amounts wad, in quote units.
struct Health {
    /// Equity that counts for maintenance: cash, weighted collateral, unrealised profit and loss. Rounded down.
    int256 equityMaintenanceWad;
    /// Below this equity the account is liquidatable. Rounded up.
    uint256 requirementMaintenanceWad;
    /// The same for initial margin, where gains and collateral count less.
    int256 equityInitialWad;
    /// Opening, increasing and withdrawing must leave the initial equity at or above this.
    uint256 requirementInitialWad;
    /// Cash plus unrealised profit and loss: the debt, if below zero, were everything settled.
    int256 netCashWad;
    /// Maintenance equity over requirement, rounded down; the largest uint256 without requirement, zero when equity is below zero.
    uint256 healthWad;
    /// False when the price of a market of the account is not fresh: nothing that increases risk is allowed.
    bool pricesFresh;
}

/// @notice A position, decoded, with what has accrued. Sizes wad (below zero: short), amounts wad.
struct PositionView {
    int256 sharesWad;
    int256 costWad;
    int256 sizeWad;
    int256 valueWad;
    uint256 notionalWad;
    uint256 epoch;
    /// As it was stored last: shares of the epoch that its side was in then.
    int256 storedSharesWad;
    uint256 storedEpoch;
}

/// @notice A market's words and the pool's position in it: all that a reader needs to mirror it. The words of the sides mean something only
/// where the state's flags say that they were touched.
struct MarketView {
    MarketState state;
    MarketTotals totals;
    MarketRisk risk;
    MarketTerms terms;
    DiscountTerms discount;
    Position poolPosition;
    SideWord longSide;
    SideWord shortSide;
    EpochsWord epochs;
}

/// @notice The words of cash, as stored: what has accrued since is not in them.
struct CashView {
    CashIndices indices;
    CashTotals totals;
    CashTerms terms;
    HourBudget poolLosses;
    HourBudget writeOffs;
    /// Wad: the insurance account's share of interest, not yet in its cash.
    uint256 interestUnsweptWad;
    /// Wad: losses that nobody has paid yet.
    uint256 badDebtWad;
}

/// @notice Who bears what of the pool's loss, wad. `deficitWad` is what was missing at the price; `deleveragedWad` what the other sides
/// bore beyond the price.
struct Loss {
    uint256 deficitWad;
    uint256 insuranceWad;
    uint256 deleveragedWad;
    uint256 writtenOffWad;
    uint256 badDebtWad;
}

/// @notice Why step 1 of the waterfall refuses a leg.
enum Refusal {
    None,
    /// The account has no position there.
    NoPosition,
    /// The market's price cannot be used: the leg stays untouched until there is one that can.
    PriceStale,
    /// What the account's health can bear is below taker rate plus tolerance: only absorb is open.
    DiscountTooSmall,
    /// The pool's fill would cost more than the account's health can bear.
    ImpactTooLarge,
    /// The pool would grow its position beyond its own free margin.
    PoolMargin,
    /// The largest size named would leave less than the market's minimum: name the whole position.
    RemainderBelowMinimum,
    /// The chain's sequencer is down, or came back too short a time ago, and the account is above zero: wait.
    SequencerGrace
}

/// @notice What a liquidation of one leg would do now; `rewardWad` is the keeper's, or the discount of a taker.
struct LiquidationPreview {
    Refusal refusal;
    int256 sizeDeltaWad;
    uint256 fillPriceWad;
    uint256 feeWad;
    uint256 rewardWad;
}

/// @notice What an absorb would do now.
struct AbsorbPreview {
    bool open;
    Health health;
}

/// @title Ballast's margin vault
/// @notice One vault holds everybody's collateral; an account's whole balance backs all its positions. Units: wad = 1e18,
/// amounts of tokens raw. Every conversion rounds against the account and for the vault.
///
/// Assumptions about tokens: at most 18 decimals; a transfer moves exactly what was asked (checked, refused otherwise); balances
/// change by transfers only. Unsolicited transfers change nothing. The settlement token is taken as one quote unit.
/// Assumptions about prices: see IPriceOracle; a price is honest within its tolerance.
interface IMarginVault is IERC5267 {
    // ------------------------------------------------------------------ errors

    /// @notice Thrown when the caller may not act for the account: call from its owner, or from an operator whom the owner has permitted
    /// this act.
    error NotAuthorized(AccountId account, address caller);
    /// @notice Thrown when permissions are given that do not exist: see types/Permissions.
    error UnknownPermissions(uint256 permissions, uint256 all);
    /// @notice Thrown when a grant is signed with another nonce than the owner's next: sign anew with that.
    error WrongNonce(address owner, uint256 nonce, uint256 expected);
    /// @notice Thrown when a grant is not signed by the account's owner, or for another chain, vault or content.
    error InvalidSignature(address owner);
    /// @notice Thrown when value (wei) is sent outside of a multicall: send none.
    error UnexpectedValue(uint256 value);
    /// @notice Thrown when an update of prices costs more than the value (wei) that was sent: send more.
    error UpdateFeeMissing(uint256 fee, uint256 available);
    /// @notice Thrown when a multicall is one of a multicall's calls, or is made while one runs: make one of the two.
    error MulticallNested();
    /// @notice Thrown when a position would grow in a market that the guardian has halted: it can only be reduced.
    error MarketHalted(MarketId market);
    /// @notice Thrown when a withdrawal, a transfer or a purchase of collateral would leave a debt while the guardian has halted borrowing:
    /// take no more than there is cash for.
    error BorrowingHalted(AccountId account, uint256 debtWad);
    /// @notice Thrown when an amount or size is zero.
    error ZeroAmount();
    /// @notice Thrown when an amount of tokens (raw) has more than 128 bits.
    error AmountTooLarge(uint256 amount);
    /// @notice Thrown when a token is neither the settlement token nor a listed collateral.
    error UnknownToken(address token);
    /// @notice Thrown when a market is not listed.
    error UnknownMarket(MarketId market);
    /// @notice Thrown when a token moved another amount than asked (a fee on transfer, say): such tokens are not supported.
    error TokenMovedOtherAmount(address token, uint256 asked, uint256 moved);
    /// @notice Thrown when a token has more than 18 decimals.
    error TooManyDecimals(address token, uint256 decimals);
    /// @notice Thrown when a token is listed twice, or the settlement token is listed as collateral.
    error AlreadyListed(address token);
    /// @notice Thrown when there is no room for another market or collateral.
    error ListFull(uint256 maximum);
    /// @notice Thrown when somebody but the owner deposits less than the minimum, or a token that the account does not hold.
    error StrangerDeposit(AccountId account, address token, uint256 valueWad, uint256 minimumWad);
    /// @notice Thrown when an account would hold more kinds of collateral or positions than can be liquidated cheaply.
    error TooManyAssets(AccountId account, uint256 maximum);
    /// @notice Thrown when a deposit would exceed the token's cap.
    error DepositCapExceeded(address token, uint256 total, uint256 cap);
    /// @notice Thrown when more of a collateral is withdrawn than the account holds.
    error InsufficientBalance(AccountId account, address token, uint256 asked, uint256 balance);
    /// @notice Thrown when more cash is withdrawn than the vault holds (the rest is lent).
    error InsufficientCashHeld(uint256 asked, uint256 held);
    /// @notice Thrown when a debt would be smaller than the minimum: borrow more or nothing.
    error DebtBelowMinimum(AccountId account, uint256 debtWad, uint256 minimumWad);
    /// @notice Thrown when initial equity would be below the initial requirement: deposit, reduce, or ask for less.
    error InsufficientMargin(AccountId account, int256 equityWad, uint256 requiredWad);
    /// @notice Thrown when a reduction would leave maintenance equity below zero.
    error ReductionBankrupts(AccountId account, int256 equityWad);
    /// @notice Thrown when a reduction would lower the health of an account at margin call: reduce less, or deposit.
    error ReductionLowersHealth(AccountId account, uint256 healthBeforeWad, uint256 healthAfterWad);
    /// @notice Thrown when a price that the act needs is not fresh, or good for reductions only: reduce, or wait for a new one.
    error StalePrices(AccountId account);
    /// @notice Thrown when the price of a market that the act needs cannot be used: wait for a new one.
    error StaleMarketPrice(MarketId market, uint256 publishedAt, uint256 maxAge);
    /// @notice Thrown when a collateral is to be deposited, transferred or sold whose price cannot be used: wait for a new one, or
    /// move cash.
    error StaleCollateralPrice(address token, uint256 publishedAt, uint256 maxAge);
    /// @notice Thrown when a trade or a signed grant comes after its deadline.
    error DeadlinePassed(uint256 deadline, uint256 blockTime);
    /// @notice Thrown when a fill would be worse than the limit.
    error LimitExceeded(uint256 fillPriceWad, uint256 limitPriceWad);
    /// @notice Thrown when a position would be smaller than the market's minimum and not zero.
    error PositionBelowMinimum(MarketId market, uint256 sizeWad, uint256 minimumWad);
    /// @notice Thrown when an opening would exceed the open-interest cap of the market's side.
    error OpenInterestCapExceeded(MarketId market, uint256 openInterestWad, uint256 capWad);
    /// @notice Thrown when an opening needs more of the pool's capital than the market's share.
    error PoolCapitalExceeded(MarketId market, uint256 neededWad, uint256 availableWad);
    /// @notice Thrown when the checkpoint of the pool's capital is too old to open: call refreshCapital first.
    error CapitalCheckpointStale(uint256 takenAt, uint256 maxAge);
    /// @notice Thrown when a position is settled that does not exist.
    error NoPosition(AccountId account, MarketId market);
    /// @notice Thrown when a healthy account is to be liquidated.
    error AccountHealthy(AccountId account, int256 equityWad, uint256 requirementWad);
    /// @notice Thrown when an account above zero is to be liquidated while the chain's sequencer is down, or came back too short a time
    /// ago for its owner to act: wait.
    error SequencerGrace(AccountId account);
    /// @notice Thrown when no account of a batch is open to absorb: healthy, in the sequencer's grace time, or step 1 still accepts a leg.
    error NothingToAbsorb();
    /// @notice Thrown when the pool or the insurance account is named as a target.
    error NotATarget(AccountId account);
    /// @notice Thrown when a liquidation's reward or what it sells would go to its target.
    error RewardToTarget(AccountId account);
    /// @notice Thrown when step 1 refuses a leg: choose another, or absorb.
    error LegRefused(AccountId account, MarketId market, Refusal refusal);
    /// @notice Thrown when a collateral of an account is to be liquidated that it does not hold.
    error NoCollateral(AccountId account, address token);
    /// @notice Thrown when less than one unit of a token would do, or pay, for what a liquidation needs: choose another leg, or absorb.
    error NothingToSell(AccountId account, address token);
    /// @notice Thrown when collateral is to be liquidated of an account that would owe nothing were everything settled: liquidate a
    /// position.
    error NoDebt(AccountId account, int256 netCashWad);
    /// @notice Thrown when the pool asks more for a collateral than the buyer's limit.
    error CostAboveLimit(uint256 costWad, uint256 maxCostWad);
    /// @notice Thrown when a mode is asked for that does not exist: 0 is cross, 1 isolated.
    error UnknownMode(uint256 mode);
    /// @notice Thrown when an account with a position changes its mode: close it first.
    error ModeNeedsNoPosition(AccountId account);
    /// @notice Thrown when a liquidation would not raise the account's health.
    error HealthNotRaised(AccountId account, uint256 healthBeforeWad, uint256 healthAfterWad);
    /// @notice Thrown when a taker has a position of size zero in the market, which deleveraging left: settle it first.
    error UnsettledResult(AccountId account, MarketId market);
    /// @notice Thrown when a position would grow in a market that is about to be delisted: it can only be reduced.
    error MarketClosing(MarketId market, uint256 delistAt);
    /// @notice Thrown when a market is delisted before its announced time, or without an announcement (`delistAt` zero).
    error DelistingNotDue(MarketId market, uint256 delistAt, uint256 blockTime);
    /// @notice Thrown when a market was delisted: settle what is left in it.
    error MarketDelisted(MarketId market);
    /// @notice Thrown when the pool is to be resolved although it is not below zero: at maintenance, losses of positions without a usable
    /// price not counted.
    error PoolSolvent(int256 equityWad);
    /// @notice Thrown when there is no bad debt that insurance could cover now.
    error NothingToCover(uint256 badDebtWad, int256 insuranceCashWad);
    /// @notice Thrown when a parameter is outside the bounds in code; `rule` says which.
    error ParameterOutOfBounds(string rule);
    /// @notice Thrown when a ramp has no step to take: there is no ramp (`secondsLeft` zero), or this second's step was taken. Wait, at
    /// best an hour.
    error NothingToRamp(uint256 secondsLeft);
    /// @notice Thrown when a position, a cost or a side grows beyond what its word holds.
    error GrowthLimit(MarketId market);

    // ------------------------------------------------------------------ events: state, as stored

    // Whoever keeps the last of these words for each key has the vault's books; no arithmetic is needed. What the vault keeps beside
    // them are sums: of a collateral over accounts, and of the settlement token over deposits, withdrawals and reserves.

    /// @notice An account's word changed: principal, assets, mode.
    event AccountChanged(AccountId indexed account, AccountWord word);
    /// @notice A position other than the pool's changed.
    event PositionChanged(AccountId indexed account, MarketId indexed market, Position position);
    /// @notice A market changed: funding, totals, or the pool's position in it.
    event MarketChanged(MarketId indexed market, MarketState state, MarketTotals totals, Position poolPosition);
    /// @notice The indices of a market's sides changed: deleveraging, the end of an epoch, or a side that emptied.
    event SidesChanged(MarketId indexed market, SideWord longSide, SideWord shortSide, EpochsWord epochs);
    /// @notice An epoch of a side ended with this index: a position of it converts when it is touched.
    event EpochEnded(MarketId indexed market, bool indexed long, uint256 epoch, SideWord end);
    /// @notice Cash changed: its indices and rates, its totals, or the insurance account's share of interest (wad).
    event CashChanged(CashIndices indices, CashTotals totals, uint256 interestUnsweptWad);
    /// @notice What losses may still take from the pool, and from suppliers of cash, in this hour changed; or the bad debt (wad).
    event LossesChanged(HourBudget poolLosses, HourBudget writeOffs, uint256 badDebtWad);
    /// @notice An account's amount (raw) of a collateral changed.
    event CollateralChanged(AccountId indexed account, address indexed token, uint256 amount);
    /// @notice The checkpoint of the pool's capital changed.
    event CapitalChanged(Capital capital);
    /// @notice What insurance may still add to absorb rewards in this hour changed.
    event RewardBudgetChanged(RewardBudget budget);
    /// @notice A market's parameters were set, or moved by a step: these words count now.
    event MarketParametersSet(MarketId indexed market, MarketRisk risk, MarketTerms terms, DiscountTerms discount);
    /// @notice A collateral's parameters were set, or moved by a step: these words count now.
    event CollateralParametersSet(
        address indexed token,
        uint256 indexed collateralIndex,
        Collateral collateral,
        DiscountTerms discount
    );
    /// @notice The parameters of all accounts were set, or moved by a step: this word counts now.
    event AccountParametersSet(AccountRisk risk);
    /// @notice The parameters of cash were set.
    event CashParametersSet(CashTerms terms);
    /// @notice What is to come of a market's risk changed: from which word to which, and how far it has come. All zero: nothing is.
    event MarketRampSet(MarketId indexed market, MarketRisk from, MarketRisk to, RampClock clock);
    /// @notice What is to come of a collateral changed (`held` and `decimals` of these words mean nothing). All zero: nothing is.
    event CollateralRampSet(address indexed token, Collateral from, Collateral to, RampClock clock);
    /// @notice What is to come of the parameters of all accounts changed. All zero: nothing is.
    event AccountRampSet(AccountRisk from, AccountRisk to, RampClock clock);

    /// @notice An operator of an account has these permissions now.
    event OperatorSet(AccountId indexed account, address indexed operator, uint256 permissions);
    /// @notice An owner's nonce was used, by a signed grant or to revoke those not yet used.
    event NonceUsed(address indexed owner, uint256 nonce);
    /// @notice Borrowing was halted or resumed. (That a market was stands in its state.)
    event BorrowingHaltedSet(bool halted);

    // ------------------------------------------------------------------ events: what happened

    /// @notice A market's reserve against rounding dust was paid in, raw settlement tokens; it belongs to no account.
    event ReservePaid(MarketId indexed market, uint256 amount);

    /// @notice `from` deposited `amount` (raw) of a token for an account.
    event Deposited(AccountId indexed account, address indexed token, address indexed from, uint256 amount);
    /// @notice `amount` (raw) of a token left an account for `to`.
    event Withdrawn(AccountId indexed account, address indexed token, address indexed to, uint256 amount);
    /// @notice `amount` (raw) of a token moved from one account to another.
    event Transferred(AccountId indexed from, AccountId indexed to, address indexed token, uint256 amount);
    /// @notice An account traded against the pool. `realizedWad` is what moved to its cash, fees of closing taken off.
    event Traded(
        AccountId indexed account,
        MarketId indexed market,
        int256 sizeDeltaWad,
        uint256 fillPriceWad,
        uint256 feeWad,
        int256 realizedWad
    );
    /// @notice An unrealised loss (below zero) moved to the account's cash.
    event Settled(AccountId indexed account, MarketId indexed market, int256 realizedWad);
    /// @notice Waterfall, step 1: part of a position or all of it went to the pool at its fill price, or to another account at the price.
    /// `feeWad` is what the target paid for it, `rewardWad` what the keeper has of that, or the taker, whose discount it is.
    event PositionLiquidated(
        AccountId indexed account,
        MarketId indexed market,
        AccountId indexed taker,
        address liquidator,
        int256 sizeDeltaWad,
        uint256 fillPriceWad,
        uint256 feeWad,
        uint256 rewardWad,
        uint256 healthBeforeWad,
        uint256 healthAfterWad
    );
    /// @notice Waterfall, step 1: collateral was sold to another account. The target has `proceedsWad` for it, insurance `insuranceWad`
    /// besides; the taker paid both.
    event CollateralLiquidated(
        AccountId indexed account,
        address indexed token,
        AccountId indexed taker,
        address liquidator,
        uint256 amount,
        uint256 proceedsWad,
        uint256 insuranceWad,
        uint256 healthBeforeWad,
        uint256 healthAfterWad
    );
    /// @notice The pool sold `amount` (raw) of a collateral that it had absorbed.
    event PoolCollateralSold(AccountId indexed buyer, address indexed token, uint256 amount, uint256 costWad);
    /// @notice Waterfall, step 2: the pool took over a position of an absorbed account.
    event PositionAbsorbed(
        AccountId indexed account,
        MarketId indexed market,
        int256 sizeDeltaWad,
        uint256 fillPriceWad,
        int256 realizedWad
    );
    /// @notice Waterfall, step 2: the pool took over a collateral of an absorbed account, at its weighted value. It offers all that it has
    /// of it for sale since `stockSince` (Unix seconds).
    event CollateralAbsorbed(
        AccountId indexed account,
        address indexed token,
        uint256 amount,
        uint256 valueWad,
        uint256 stockSince
    );
    /// @notice Waterfall, step 3: insurance paid of what was missing at the price.
    event InsurancePaid(AccountId indexed account, uint256 deficitWad, uint256 paidWad);
    /// @notice Waterfall, step 4: the pool paid of what insurance could not, within its hour's budget.
    event PoolPaid(AccountId indexed account, uint256 paidWad);
    /// @notice Waterfall, step 2 or 5: a position of an account (the pool's, when that is resolved) was closed against the other side of
    /// its market. `sizeWad` is signed as the position was; `realizedWad` is what moved to the account's cash.
    event PositionDeleveraged(
        AccountId indexed account,
        MarketId indexed market,
        int256 sizeWad,
        uint256 priceRay,
        int256 realizedWad
    );
    /// @notice Waterfall, step 2 or 5: what that did to the other side (`long` or short): each share of this epoch sold `soldRay` of its
    /// size at `priceRay`, and is `scaleRay` large after it. VaultLens.deleveraged tells what it did to an account.
    event Deleveraged(
        MarketId indexed market,
        bool indexed long,
        uint256 epoch,
        uint256 soldRay,
        uint256 priceRay,
        uint256 scaleRay
    );
    /// @notice Waterfall, step 6: suppliers of cash bore `writtenOffWad` through the supply index; `badDebtWad` nobody has borne yet.
    event LossWrittenOff(AccountId indexed account, uint256 writtenOffWad, uint256 badDebtWad);
    /// @notice Insurance paid bad debt, of which this much is left.
    event BadDebtCovered(uint256 paidWad, uint256 badDebtWad);
    /// @notice The pool was below zero, and was brought back to it.
    event PoolResolved(Loss loss);
    /// @notice A market is to be delisted from `due` (Unix seconds) on; at `finalPriceWad` if its feed is dead by then (zero: at its last
    /// good price).
    event DelistingAnnounced(MarketId indexed market, uint256 due, uint256 finalPriceWad);
    /// @notice A market was delisted: all its positions were closed at this price, and wait to be settled.
    event Delisted(MarketId indexed market, uint256 priceWad);
    /// @notice Waterfall, end: the account was absorbed; `returnedWad` stays its cash (below zero: a debt against stale assets).
    /// `deleveraged`: way B, everything was closed against the other sides; else way A, the pool took what it could bear.
    event Absorbed(
        AccountId indexed account,
        AccountId indexed rewardTo,
        bool deleveraged,
        uint256 penaltyWad,
        uint256 rewardWad,
        int256 returnedWad
    );
    /// @notice The insurance account's share of a market's fees moved to its cash.
    event FeesSwept(MarketId indexed market, uint256 amountWad);
    /// @notice The insurance account's share of interest moved to its cash.
    event InterestSwept(uint256 amountWad);

    // ------------------------------------------------------------------ acts

    // All take value only as a part of a multicall, updatePrices aside.

    /// @notice Makes several calls of this vault in one, in the caller's name; all or none. What raises an account's risk is let pass, and
    /// at the end each such account must have initial margin, and no debt below the minimum if it may owe more: once, in whatever order
    /// the calls stand. The same holds before each call that concerns another's account or the pool's value (liquidations, absorb,
    /// buyCollateral, cover, resolvePool, delist, refreshCapital, steps of ramps). Value (wei) pays for updates of prices; the rest is
    /// given back.
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory results);

    /// @notice Moves `amount` (raw) of a token from the caller into an account. A collateral needs a fresh price. A stranger may deposit
    /// only cash or a token that the account already holds, worth at least the minimum debt.
    function deposit(AccountId account, address token, uint256 amount) external payable;

    /// @notice Moves `amount` (raw) of a token out of an account. Cash may go below zero (a debt). Free margin must not be
    /// negative after it.
    function withdraw(AccountId account, address token, uint256 amount, address to) external payable;

    /// @notice Moves `amount` (raw) of a token from one account to another, inside the vault: as a withdrawal and a deposit would.
    function transfer(AccountId from, AccountId to, address token, uint256 amount) external payable;

    /// @notice Sets an account's mode: 0 cross (all positions share all collateral), 1 isolated (at most one position). The account must
    /// have no position.
    function setMode(AccountId account, uint256 mode) external payable;

    /// @notice Lets an operator act for an account of the caller: permissions are bits, see types/Permissions; zero takes all back.
    function setOperator(AccountId account, address operator, uint256 permissions) external payable;

    /// @notice The same by the signature of the account's owner, sent by anyone: EIP-712, of `SetOperator(bytes32 account,address
    /// operator,uint256 permissions,uint256 nonce,uint256 deadline)`, in the domain that eip712Domain tells. A contract signs by ERC-1271.
    /// A signature that somebody else has sent already is no error as long as what it grants still stands.
    /// @param nonce the owner's next; it is used up
    /// @param deadline Unix seconds
    function setOperatorBySig(
        AccountId account,
        address operator,
        uint256 permissions,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external payable;

    /// @notice Uses up the caller's next nonce, so that what it has signed with it, and not yet sent, is worth nothing.
    function revokeSignatures() external payable;

    /// @notice Deposits as `deposit` does, with the caller's ERC-2612 permit for it. A permit that somebody else has sent already is no
    /// error: the allowance that it gave is there.
    /// @param deadline the permit's, Unix seconds
    function depositWithPermit(
        AccountId account,
        address token,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external payable;

    /// @notice Brings new prices to the oracle's Pyth contract (IPriceOracle.updatePyth), for its fee (IPriceOracle.pythFee, wei) out of
    /// the value sent. Takes value outside of a multicall too, and gives back the rest.
    function updatePrices(bytes[] calldata updates) external payable;

    /// @notice Trades against the pool. `sizeDeltaWad` above zero buys; `limitPriceWad` bounds the average fill price, fees
    /// apart: from above for a purchase, from below for a sale (zero: no bound). `deadline` in Unix seconds.
    function trade(
        AccountId account,
        MarketId market,
        int256 sizeDeltaWad,
        uint256 limitPriceWad,
        uint256 deadline
    ) external payable;

    /// @notice Moves an unrealised loss to the account's cash. By anyone; changes neither equity nor health. A gain stays
    /// unrealised until it is closed: settling frees no profit. But a position of size zero, which deleveraging or delisting left, is
    /// final: its gain moves too, no fresh price is needed, and the position is gone.
    function settle(AccountId account, MarketId market) external payable;

    /// @notice Waterfall, step 1: closes a part of a position, at most `maxSizeWad`, as much as brings health to its target. `taker` is the
    /// pool's account: it takes at its fill price, and the keeper's share of the fee is cash of account (caller, 0). Or it is an account
    /// that the caller may act for: it takes over at the price less the discount, with the cost where it has no position or one on the
    /// same side, and must hold initial margin after it.
    function liquidatePosition(
        AccountId account,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) external payable;

    /// @notice Waterfall, step 1, for a collateral: `taker`, an account that the caller may act for, buys at most `maxAmount` (raw) at the
    /// price less the discount, as much as brings health to its target and at most what net cash is below zero.
    function liquidateCollateral(AccountId account, address token, uint256 maxAmount, AccountId taker) external payable;

    /// @notice Waterfall, steps 2 to 6: takes accounts over whole, and books what they cannot pay there and then. Accounts that are healthy
    /// again, or that step 1 still serves, are skipped; throws if none is left. The reward is cash of `rewardTo`.
    function absorb(AccountId[] calldata accounts, AccountId rewardTo) external payable;

    /// @notice Buys `amount` (raw) of a collateral that the pool has absorbed, for an account that the caller may act for, at
    /// value * (1 + tolerance - discount): the discount rises from zero to its base within an hour. `maxCostWad` bounds what it costs.
    function buyCollateral(AccountId buyer, address token, uint256 amount, uint256 maxCostWad) external payable;

    /// @notice Moves the insurance account's share of a market's fees to its cash. By anyone.
    function sweepFees(MarketId market) external payable;

    /// @notice Moves the insurance account's share of interest to its cash. By anyone.
    function sweepInterest() external payable;

    /// @notice Lets insurance pay bad debt, as far as its cash goes. By anyone; absorb does it before anything else.
    function cover() external payable;

    /// @notice Waterfall, step 7: brings a pool that is below zero at maintenance back to it. Insurance pays, the pool's positions with a
    /// usable price are closed against the other sides, the rest is written off. Losses of those without one wait, and do not count. By
    /// anyone. Its shares stay.
    function resolvePool() external payable;

    /// @notice Delists a market from its announced time on. By anyone. All positions are closed at the oracle's price if it is fresh,
    /// else, where the feed has been silent for a day beyond its time, at the announced one, else at the last good one; settling pays
    /// them.
    function delist(MarketId market) external payable;

    /// @notice Takes a new checkpoint of the pool's capital. By anyone. A stale market counts at its last good price, a stale collateral
    /// not at all.
    function refreshCapital() external payable;

    /// @notice Moves what was set for a market's maintenance margin on toward its end, by the time since the last step, at most an hour.
    /// By anyone. The market needs a fresh price and must not be delisted; that it is halted or about to be delisted stops no step.
    function rampMarket(MarketId market) external payable;

    /// @notice The same for a collateral's maintenance weight. By anyone.
    function rampCollateral(address token) external payable;

    /// @notice The same for debt margin, keeper floor and absorb health of all accounts. By anyone.
    function rampAccounts() external payable;

    // ------------------------------------------------------------------ administration

    // Bounds stand with the structs of the parameters. What tightens maintenance margin counts by steps of at most an hour (rampMarket,
    // rampCollateral, rampAccounts) that add up to three days, so that no change makes a healthy account liquidatable at once. Everything
    // else counts at once, as does all that loosens. Both what counts at once and what is to come must be within the bounds: where they
    // tie one parameter to another, set the other when the steps are done. Setting again starts anew, from what counts then.

    /// @notice Lists a market under the next id. Takes a reserve of one quote unit from the caller, which covers rounding dust.
    function listMarket(MarketParameters calldata parameters) external returns (MarketId);

    /// @notice Changes the parameters of a market. By steps: maintenanceBase and lambdaMaintenance up, skewScale down; but at once where
    /// nobody has a position.
    function setMarketParameters(MarketId market, MarketParameters calldata parameters) external;

    /// @notice Lists a token as collateral under the next index.
    function listCollateral(address token, CollateralParameters calldata parameters) external returns (uint256 index);

    /// @notice Changes the parameters of a collateral. By steps: maintenanceWeight down; but at once where nobody holds any.
    function setCollateralParameters(address token, CollateralParameters calldata parameters) external;

    /// @notice Sets the parameters of cash: its rates, and what losses may take in an hour.
    function setCashParameters(CashParameters calldata parameters) external;

    /// @notice Announces that a market will be delisted from `due` (Unix seconds, at least a day ahead) on. No position grows from now on.
    /// @param finalPriceWad what counts if its feed is dead by then; zero: its last good price
    function announceDelisting(MarketId market, uint256 due, uint256 finalPriceWad) external;

    /// @notice Sets the parameters of all accounts. By steps: debtMargin, keeperFloor and absorbHealth up; but at once the first time, and
    /// while neither a market nor a collateral is listed.
    function setAccountParameters(AccountParameters calldata parameters) external;

    /// @notice Stops positions from growing in a market. They can be reduced, settled and liquidated.
    function haltMarket(MarketId market) external;

    /// @notice Lets positions grow again in a halted market.
    function resumeMarket(MarketId market) external;

    /// @notice Stops withdrawals, transfers and purchases of collateral (buyCollateral, liquidateCollateral) that leave a debt. What an
    /// account has it can withdraw or pay with, and losses still become debts.
    function haltBorrowing() external;

    /// @notice Lets accounts borrow again.
    function resumeBorrowing() external;

    // ------------------------------------------------------------------ views

    /// @notice The account's margin, at the last good prices, with all that has accrued.
    function health(AccountId account) external view returns (Health memory);

    /// @notice The margins of many accounts, in their order, with each price read once.
    function healths(AccountId[] calldata accounts) external view returns (Health[] memory);

    /// @notice The account's position, with what has accrued.
    function position(AccountId account, MarketId market) external view returns (PositionView memory);

    /// @notice The account's cash, wad; below zero a debt.
    function cash(AccountId account) external view returns (int256);

    /// @notice The account's amount (raw) of a collateral.
    function collateral(AccountId account, address token) external view returns (uint256);

    /// @notice The account's word: principal, assets, mode.
    function accountWord(AccountId account) external view returns (AccountWord);

    /// @notice A market's words and the pool's position in it. The totals let a reader prove that its set of accounts is
    /// complete: the shares of the accounts that it knows must add up to them.
    function market(MarketId market) external view returns (MarketView memory);

    /// @notice The parameters of all accounts.
    function accountRisk() external view returns (AccountRisk);

    /// @notice The words of cash: indices, totals, terms, what losses may still take in this hour, and what nobody has paid yet.
    function cashView() external view returns (CashView memory);

    /// @notice The index of a side at the end of one of its epochs.
    function epochEnd(MarketId market, bool long, uint256 epoch) external view returns (SideWord);

    /// @notice The checkpoint of the pool's capital.
    function capital() external view returns (Capital);

    /// @notice What is to come of a market's risk. All zero: nothing is.
    function marketRamp(MarketId market) external view returns (MarketRamp memory);

    /// @notice What is to come of a collateral (`held` and `decimals` of its words mean nothing). All zero: nothing is.
    function collateralRamp(address token) external view returns (CollateralRamp memory);

    /// @notice What is to come of the parameters of all accounts. All zero: nothing is.
    function accountRamp() external view returns (AccountRamp memory);

    /// @notice A collateral by its index: the token, its word, and the discount of its sale.
    function collateralAt(uint256 index) external view returns (address token, Collateral word, DiscountTerms discount);

    /// @notice How many markets and collaterals are listed, and how many settlement tokens (raw) the vault counts as held.
    function totals() external view returns (uint256 markets, uint256 collaterals, uint256 cashHeld);

    /// @notice The pool's net asset value (wad): equity of its account less the skew premium; with its band (wad), the sum of
    /// notional times tolerance; and what selling the collateral that it absorbed may bring beyond its weight (wad). Not `fresh`: some
    /// price is stale and none of the figures should be traded on.
    function poolValue() external view returns (int256 valueWad, uint256 bandWad, uint256 haircutWad, bool fresh);

    /// @notice What liquidatePosition would do now, for this largest size. Whether the taker may take it and could bear it is not looked
    /// at.
    function previewLiquidation(
        AccountId account,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) external view returns (LiquidationPreview memory);

    /// @notice What buyCollateral would cost now (wad), for an amount (raw). Whether the pool has so much is not looked at.
    function previewBuyCollateral(address token, uint256 amount) external view returns (uint256 costWad);

    /// @notice Whether absorb is open for the account now.
    function previewAbsorb(AccountId account) external view returns (AbsorbPreview memory);

    /// @notice The pool's account: (LiquidityPool, 0).
    function poolAccount() external view returns (AccountId);

    /// @notice The insurance account: (this vault, 0).
    function insuranceAccount() external view returns (AccountId);

    /// @notice What an operator may do for an account: bits, see types/Permissions.
    function permissionsOf(AccountId account, address operator) external view returns (uint256);

    /// @notice The nonce that an owner's next signed grant must have.
    function nonces(address owner) external view returns (uint256);

    /// @notice Whether the guardian has halted borrowing.
    function borrowingHalted() external view returns (bool);

    /// @notice The words of these storage slots (types/VaultStorage tells what stands where): all that a reader needs to work an operation
    /// out for itself, as of one block, in one call.
    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory words);

    /// @notice Where prices come from.
    function oracle() external view returns (IPriceOracle);

    /// @notice The token that cash is counted in.
    function settlementToken() external view returns (address);
}
