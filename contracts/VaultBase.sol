// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";
import {Authority} from "./libraries/Authority.sol";
import {Custody} from "./libraries/Custody.sol";
import {Deferral} from "./libraries/Deferral.sol";
import {AccountId} from "./types/AccountId.sol";
import {MarketId} from "./types/AssetSet.sol";
import {MarketRisk} from "./types/MarketWords.sol";
import {Context, VaultStorage} from "./types/VaultStorage.sol";

/// @title What the vault and its extension share: the storage, and the first lines of every recipe
abstract contract VaultBase is AccessManaged, ReentrancyGuardTransient {
    VaultStorage internal $;

    /// @dev Entry points take value only as a part of a multicall, which gives back what no update of prices has cost.
    modifier valueOnlyInMulticall() {
        require(msg.value == 0 || Deferral.isActive(), IMarginVault.UnexpectedValue(msg.value));
        _;
    }

    /// @dev What an operation needs to know from its start.
    function _context() internal view virtual returns (Context memory);

    /// @dev Gives back the value (wei) that the calls have not used, to whoever sent some: wei that was forced upon the vault must not be
    /// the trouble of a caller that takes none. The last thing that happens in the caller's transaction here.
    function _giveBack() internal {
        if (msg.value != 0 && address(this).balance != 0) Address.sendValue(payable(msg.sender), address(this).balance);
    }

    function _authorize(AccountId account, uint256 permission) internal view {
        Authority.require_($, account, permission);
    }

    function _requireListed(MarketId id) internal view {
        // Of a listed market this word is not zero, and whoever asks reads it anyway.
        require(MarketRisk.unwrap($.markets[id].risk) != 0, IMarginVault.UnknownMarket(id));
    }

    function _collateralIndex(address token) internal view returns (uint256) {
        uint256 indexPlusOne = $.collateralIndexes[token];
        require(indexPlusOne != 0, IMarginVault.UnknownToken(token));
        return indexPlusOne - 1;
    }

    /// @dev Before anything that concerns somebody else's account, or the pool's value, and at the end of a multicall: whoever raised its
    /// risk in this one must have initial margin now.
    function _checkDeferred() internal {
        if (Deferral.count() != 0) Custody.checkDeferred($, _context());
    }
}
