// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountId} from "./AccountId.sol";
import {AccountWord} from "./AccountWord.sol";
import {MarketId} from "./AssetSet.sol";
import {MarketState, MarketTotals, MarketRisk, MarketTerms, DiscountTerms} from "./MarketWords.sol";
import {Position} from "./Position.sol";
import {Collateral, AccountRisk, RewardBudget, Capital} from "./VaultWords.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";

/// @notice A market, slot by slot. A trade reads slots 0 to 3 and writes 0 and 1; a margin check reads 0 and 2.
struct Market {
    MarketState state; // 0
    MarketTotals totals; // 1
    MarketRisk risk; // 2: zero when the market is not listed
    MarketTerms terms; // 3
    DiscountTerms discount; // 4
    uint256 longSide; // 5: scale uint96 ray, carry int160 ray; read only when the state's flags say so (deleveraging)
    uint256 shortSide; // 6
    uint256 epochs; // 7: epoch of the long side uint16, of the short side uint16
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
    uint256 cashIndices; // 10: supply and borrow index, their rates and time; zero until cash bears interest
    uint256 cashTotals; // 11: principal supplied and borrowed; zero until cash bears interest
    uint128 cashHeld; // 12, low half: settlement tokens held, raw, counted by the vault itself
    uint8 marketCount; // 12
    uint8 collateralCount; // 12
    uint256 badDebt; // 13: wad; zero until losses are written off
    mapping(uint256 collateralIndex => DiscountTerms) collateralDiscounts; // 14
    mapping(uint256 collateralIndex => uint256) stockSince; // 15: Unix seconds: when the pool absorbed what it holds, mean by amount
}

/// @notice What never changes after deployment and stands in code, not storage; handed to linked libraries.
struct Constants {
    IPriceOracle oracle;
    AccountId pool;
    AccountId insurance;
}
