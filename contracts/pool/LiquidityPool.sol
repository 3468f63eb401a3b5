// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarginVault, Health} from "../interfaces/IMarginVault.sol";
import {AccountId, accountIdOf} from "../types/AccountId.sol";

/// @title The liquidity pool: shares of the account that takes the other side of every trade
/// @notice ERC-4626 over the settlement token. Its assets stand in the vault, as account (this pool, 0). What that account is worth has a
/// band (see IMarginVault.poolValue): deposits mint at its upper end, with absorbed collateral at its full value, and redemptions pay at
/// its lower, so nobody trades the prices' error through the pool; `totalAssets` and `convertTo...` speak of the middle. Virtual shares
/// stand against the first-depositor attack.
contract LiquidityPool is ERC4626, ReentrancyGuardTransient {
    using Math for uint256;
    using SafeERC20 for IERC20;

    /// @notice Thrown when somebody deposits for another: shares are locked by their owner's deposits, and nobody else's.
    error OnlyOwnDeposits(address caller, address receiver);
    /// @notice Thrown when shares move or are redeemed before their lock ends.
    error SharesLocked(address owner, uint256 until);

    /// @notice The owner's shares are locked until then (Unix seconds).
    event Locked(address indexed owner, uint256 until);

    /// @dev A share below this part of its first price is worth almost nothing: who deposits then would be diluted by rounding and
    /// would save those who lost. No deposit, and none while the pool is worth less than nothing.
    uint256 private constant LEAST_SHARE_PRICE_DIVISOR = 100;

    /// @dev A hundredth of what an account's principal holds (int120), so that no deposit that is announced can overflow it.
    uint256 private constant MAX_DEPOSIT_WAD = 1 << 112;

    /// @notice The vault in which the pool's assets stand.
    IMarginVault public immutable vault;
    /// @notice How long a deposit locks its owner's shares, in seconds.
    uint256 public immutable lockSeconds;
    /// @notice When an owner's shares are free, Unix seconds.
    mapping(address owner => uint256) public lockedUntil;

    uint256 private immutable _assetUnitWad;

    constructor(IERC20 asset_, uint256 lockSeconds_) ERC4626(asset_) ERC20("Ballast Liquidity Pool", "blpBALLAST") {
        vault = IMarginVault(msg.sender);
        lockSeconds = lockSeconds_;
        _assetUnitWad = 10 ** (18 - IERC20Metadata(address(asset_)).decimals());
    }

    /// @notice The pool's account in the vault.
    function account() public view returns (AccountId) {
        return accountIdOf(address(this), 0);
    }

    // ------------------------------------------------------------------ what a share is worth

    /// @notice The pool's net asset value in the middle of its band, rounded down; zero when it is below zero.
    function totalAssets() public view override returns (uint256) {
        (int256 value, , , ) = vault.poolValue();
        return _assetsDown(value);
    }

    /// @inheritdoc ERC4626
    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return _toShares(assets, _upperAssets(), Math.Rounding.Floor);
    }

    /// @inheritdoc ERC4626
    function previewMint(uint256 shares) public view override returns (uint256) {
        return _toAssets(shares, _upperAssets(), Math.Rounding.Ceil);
    }

    /// @inheritdoc ERC4626
    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return _toShares(assets, _lowerAssets(), Math.Rounding.Ceil);
    }

    /// @inheritdoc ERC4626
    function previewRedeem(uint256 shares) public view override returns (uint256) {
        return _toAssets(shares, _lowerAssets(), Math.Rounding.Floor);
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return _toShares(assets, totalAssets(), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return _toAssets(shares, totalAssets(), rounding);
    }

    function _toShares(uint256 assets, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return assets.mulDiv(totalSupply() + 10 ** _decimalsOffset(), worth + 1, rounding);
    }

    function _toAssets(uint256 shares, uint256 worth, Math.Rounding rounding) private view returns (uint256) {
        return shares.mulDiv(worth + 1, totalSupply() + 10 ** _decimalsOffset(), rounding);
    }

    function _upperAssets() private view returns (uint256) {
        (int256 value, uint256 band, uint256 haircut, ) = vault.poolValue();
        // Collateral at its full value: or whoever enters before it is sold would have part of the haircut that it was absorbed at.
        int256 upper = value + int256(band + haircut);
        return upper <= 0 ? 0 : uint256(upper).ceilDiv(_assetUnitWad);
    }

    function _lowerAssets() private view returns (uint256) {
        (int256 value, uint256 band, , ) = vault.poolValue();
        return _assetsDown(value - int256(band));
    }

    function _assetsDown(int256 wad) private view returns (uint256) {
        return wad <= 0 ? 0 : uint256(wad) / _assetUnitWad;
    }

    /// @dev Shares have 18 decimals or six more than the asset, whichever is more; the offset is also the number of virtual shares.
    function _decimalsOffset() internal view override returns (uint8) {
        uint8 decimals_ = IERC20Metadata(asset()).decimals();
        return decimals_ <= 12 ? 18 - decimals_ : 6;
    }

    // ------------------------------------------------------------------ limits

    /// @notice No deposit while a price is stale, or while a share is worth almost nothing; else as much as the vault's words hold.
    function maxDeposit(address) public view override returns (uint256) {
        return _takesDeposits() ? MAX_DEPOSIT_WAD / _assetUnitWad : 0;
    }

    /// @notice The shares of the largest deposit.
    function maxMint(address receiver) public view override returns (uint256) {
        return previewDeposit(maxDeposit(receiver));
    }

    /// @notice What an owner can withdraw now: not while locked or a price is stale, and no more than the pool's free margin and the cash
    /// that the vault holds.
    function maxWithdraw(address owner) public view override returns (uint256) {
        return Math.min(previewRedeem(_freeShares(owner)), _withdrawable());
    }

    /// @notice What an owner can redeem now; bounded as maxWithdraw is.
    function maxRedeem(address owner) public view override returns (uint256) {
        uint256 free = _freeShares(owner);
        uint256 bound = _withdrawable();
        if (previewRedeem(free) > bound) free = _toShares(bound, _lowerAssets(), Math.Rounding.Floor);
        return previewRedeem(free) == 0 ? 0 : free; // the vault moves no amount of zero
    }

    function _takesDeposits() private view returns (bool) {
        (int256 value, , , bool fresh) = vault.poolValue();
        uint256 firstPriceShares = totalSupply() / 10 ** _decimalsOffset();
        return fresh && value >= 0 && _assetsDown(value) >= firstPriceShares / LEAST_SHARE_PRICE_DIVISOR;
    }

    function _freeShares(address owner) private view returns (uint256) {
        return block.timestamp < lockedUntil[owner] ? 0 : balanceOf(owner);
    }

    function _withdrawable() private view returns (uint256) {
        Health memory health = vault.health(account());
        if (!health.pricesFresh) return 0;
        (, , uint256 held) = vault.totals();
        int256 free = health.equityInitialWad - int256(health.requirementInitialWad);
        // Beyond its net cash the pool would borrow, and debt margin would be due.
        return Math.min(held, _assetsDown(free < health.netCashWad ? free : health.netCashWad));
    }

    // ------------------------------------------------------------------ moves

    /// @dev Deposits go on into the vault, lock the owner's shares, and refresh the vault's checkpoint of the pool's capital.
    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override nonReentrant {
        require(caller == receiver, OnlyOwnDeposits(caller, receiver));
        IERC20 token = IERC20(asset());
        token.safeTransferFrom(caller, address(this), assets);
        lockedUntil[receiver] = block.timestamp + lockSeconds;
        emit Locked(receiver, lockedUntil[receiver]);
        _mint(receiver, shares);
        token.forceApprove(address(vault), assets);
        vault.deposit(account(), address(token), assets);
        vault.refreshCapital();
        emit Deposit(caller, receiver, assets, shares);
    }

    /// @dev The vault pays the receiver, and refuses if the pool's free margin would fall below zero.
    function _withdraw(
        address caller,
        address receiver,
        address owner,
        uint256 assets,
        uint256 shares
    ) internal override nonReentrant {
        if (caller != owner) _spendAllowance(owner, caller, shares);
        _burn(owner, shares);
        vault.withdraw(account(), asset(), assets, receiver);
        vault.refreshCapital();
        emit Withdraw(caller, receiver, owner, assets, shares);
    }

    /// @dev Locked shares do not move.
    function _update(address from, address to, uint256 value) internal override {
        require(from == address(0) || block.timestamp >= lockedUntil[from], SharesLocked(from, lockedUntil[from]));
        super._update(from, to, value);
    }
}
