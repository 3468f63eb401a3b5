// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountId} from "./AccountId.sol";
import {AccountWord} from "./AccountWord.sol";
import {MarketId} from "./AssetSet.sol";
import {CashIndices, CashTerms, CashTotals, HourBudget} from "./CashWords.sol";
import {
    DiscountTerms,
    EpochsWord,
    MarketRisk,
    MarketState,
    MarketTerms,
    MarketTotals,
    SideWord
} from "./MarketWords.sol";
import {Position} from "./Position.sol";
import {AccountRamp, CollateralRamp, MarketRamp} from "./RampWords.sol";
import {Collateral, AccountRisk, RewardBudget, Capital} from "./VaultWords.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @notice A market, slot by slot. A trade reads slots 0 to 3 and writes 0 and 1; a margin check reads 0 and 2.
struct Market {
    MarketState state; // 0
    MarketTotals totals; // 1
    MarketRisk risk; // 2: zero when the market is not listed
    MarketTerms terms; // 3
    DiscountTerms discount; // 4
    SideWord longSide; // 5: read only when the state's flags say so, as are 6 to 8
    SideWord shortSide; // 6
    EpochsWord epochs; // 7
    mapping(uint256 sideAndEpoch => SideWord) ends; // 8: the index of a side at the end of an epoch; see Sides.endKey
}

/// @notice Everything that the vault knows, slot by slot. Libraries linked to the vault take it as one storage pointer.
struct VaultStorage {
    mapping(AccountId account => AccountWord) accounts; // 0
    mapping(AccountId account => mapping(MarketId market => Position)) positions; // 1
    mapping(AccountId account => mapping(uint256 collateralIndex => uint256 amount)) collateralOf; // 2
    mapping(MarketId market => Market) markets; // 3
    mapping(uint256 collateralIndex => Collateral) collaterals; // 4
    mapping(uint256 collateralIndex => address token) collateralTokens; // 5
    mapping(address token => uint256 indexPlusOne) collateralIndexes; // 6
    AccountRisk accountRisk; // 7
    RewardBudget rewardBudget; // 8
    Capital capital; // 9
    CashIndices cashIndices; // 10
    CashTotals cashTotals; // 11
    uint128 cashHeld; // 12, low half: settlement tokens held, raw, counted by the vault itself
    uint112 interestUnswept; // 12, wad: the insurance account's share of interest, not yet in its cash
    uint8 marketCount; // 12
    uint8 collateralCount; // 12
    uint256 badDebt; // 13: wad: losses that nobody has paid yet
    mapping(uint256 collateralIndex => DiscountTerms) collateralDiscounts; // 14
    mapping(uint256 collateralIndex => uint256) stockSince; // 15: Unix seconds: when the pool absorbed what it holds, mean by amount
    CashTerms cashTerms; // 16
    HourBudget poolLosses; // 17
    HourBudget writeOffs; // 18
    mapping(AccountId account => mapping(address operator => uint256)) permissionsOf; // 19: bits, see Permissions
    mapping(address owner => uint256) nonces; // 20: of the owner's next signed grant
    bool borrowingHalted; // 21
    mapping(MarketId market => MarketRamp) marketRamps; // 22: what is to come of a market's risk; only setting and steps read it
    mapping(uint256 collateralIndex => CollateralRamp) collateralRamps; // 23
    AccountRamp accountRamp; // 24 to 26
}

/// @notice What an operation knows of cash: the indices as they stand now, and by how much it changes what is stored.
struct Cash {
    CashIndices stored;
    uint256 supplyIndex;
    uint256 borrowIndex;
    /// Of the totals, principal.
    int256 supplied;
    int256 borrowed;
    /// Whether tokens came or went.
    bool moved;
}

/// @notice What an operation knows from its start: what stands in code, not storage, and cash. Handed to linked libraries, which save what
/// they change of cash by themselves (CashBook.save).
struct Context {
    IPriceOracle oracle;
    AccountId pool;
    AccountId insurance;
    address settlementToken;
    /// Wad for one raw unit of the settlement token.
    uint256 cashUnit;
    Cash cash;
}
