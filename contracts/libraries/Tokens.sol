// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";

/// @title Moves of tokens into the vault and out of it
/// @notice A token that moves another amount than asked is refused.
library Tokens {
    using SafeERC20 for IERC20;

    /// @notice Takes an amount (raw) from the caller.
    function pull(address token, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        _requireMoved(token, amount, IERC20(token).balanceOf(address(this)), before);
    }

    /// @notice Gives an amount (raw) away.
    function push(address token, address to, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        _requireMoved(token, amount, before, IERC20(token).balanceOf(address(this)));
    }

    function _requireMoved(address token, uint256 asked, uint256 more, uint256 less) private pure {
        uint256 moved = more - less;
        require(moved == asked, IMarginVault.TokenMovedOtherAmount(token, asked, moved));
    }
}
