// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockPuppet} from "./MockPuppet.sol";

/// @title A token that misbehaves as it is told, for tests: each way is one that some token on a real chain has
/// @notice Anyone may mint and set its conduct. It behaves until it is told otherwise.
contract MockHostileToken {
    enum Conduct {
        Behaves,
        /// Moves, and returns no data.
        ReturnsNothing,
        /// Moves nothing and returns false.
        ReturnsFalse,
        /// Moves, and returns false.
        MovesAndReturnsFalse,
        /// Moves, and returns the number two.
        ReturnsTwo,
        /// Moves nothing and returns true.
        MovesNothing,
        /// Keeps 1% of what the receiver should have.
        KeepsFee,
        /// Takes 1% more of the sender than it moves.
        TakesFeeOnTop,
        /// One unit gets lost on the way.
        MovesOneLess,
        /// One unit more arrives.
        MovesOneMore,
        /// Moves the whole balance when asked for the largest number.
        MovesAllForLargest,
        RevertsOnZero,
        /// Reverts where one allowance is set after another.
        RevertsOnSecondApproval,
        RevertsAboveUint96,
        Paused,
        /// Moves, and returns true followed by `bombSize` bytes.
        ReturnsBomb,
        /// Reverts with `bombSize` bytes.
        RevertsWithBomb,
        BurnsAllGas,
        /// Tells the same balance of everybody, always.
        TellsConstantBalance,
        /// Tells twice of what everybody has.
        TellsTwiceTheBalance,
        /// Reverts when asked for a balance.
        HidesBalance
    }

    Conduct public conduct;
    uint256 public bombSize;
    /// What the token tells of its decimals; above 255 it reverts.
    uint256 private _decimals;
    /// Balances count so many wads; a rebasing token changes it.
    uint256 public scaleWad = 1e18;
    mapping(address holder => uint256) private _held;
    mapping(address holder => mapping(address spender => uint256)) public allowance;
    mapping(address holder => bool) public blocked;
    /// Told of every move, before or after it.
    MockPuppet public puppet;
    bool public beforeMove;

    error Blocked(address holder);
    error NoDecimals();
    error NotNow();
    error Insufficient(address holder, uint256 held, uint256 asked);

    constructor(uint256 decimals_) {
        _decimals = decimals_;
    }

    function setConduct(Conduct conduct_, uint256 bombSize_) external {
        (conduct, bombSize) = (conduct_, bombSize_);
    }

    function setDecimals(uint256 decimals_) external {
        _decimals = decimals_;
    }

    function setScale(uint256 scaleWad_) external {
        scaleWad = scaleWad_;
    }

    function setBlocked(address holder, bool blocked_) external {
        blocked[holder] = blocked_;
    }

    function setPuppet(MockPuppet puppet_, bool beforeMove_) external {
        (puppet, beforeMove) = (puppet_, beforeMove_);
    }

    function mint(address to, uint256 amount) external {
        _held[to] += amount;
    }

    function decimals() external view returns (uint8) {
        require(_decimals <= 255, NoDecimals());
        return uint8(_decimals);
    }

    function balanceOf(address holder) external view returns (uint256) {
        require(conduct != Conduct.HidesBalance, NotNow());
        if (conduct == Conduct.TellsConstantBalance) return 1e24;
        return conduct == Conduct.TellsTwiceTheBalance ? 2 * _balanceOf(holder) : _balanceOf(holder);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        bool second = amount != 0 && allowance[msg.sender][spender] != 0;
        require(conduct != Conduct.RevertsOnSecondApproval || !second, NotNow());
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, Insufficient(from, allowed, amount));
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
    }

    function _balanceOf(address holder) private view returns (uint256) {
        return (_held[holder] * scaleWad) / 1e18;
    }

    /// @dev Moves, and ends the call: what it returns is as odd as the rest.
    function _move(address from, address to, uint256 amount) private {
        Conduct how = conduct;
        require(how != Conduct.Paused, NotNow());
        require(how != Conduct.RevertsOnZero || amount != 0, NotNow());
        require(how != Conduct.RevertsAboveUint96 || amount <= type(uint96).max, NotNow());
        require(!blocked[from], Blocked(from));
        require(!blocked[to], Blocked(to));
        uint256 size = bombSize;
        if (how == Conduct.BurnsAllGas)
            assembly ("memory-safe") {
                invalid()
            }
        if (how == Conduct.RevertsWithBomb)
            assembly ("memory-safe") {
                revert(0, size)
            }
        if (how == Conduct.ReturnsFalse) _return(0, 32);

        if (beforeMove) _tell();
        if (how == Conduct.MovesAllForLargest && amount == type(uint256).max) amount = _balanceOf(from);
        uint256 arrives = amount;
        if (how == Conduct.KeepsFee) arrives -= amount / 100;
        else if (how == Conduct.TakesFeeOnTop) amount += amount / 100;
        else if (how == Conduct.MovesOneLess) arrives -= 1;
        else if (how == Conduct.MovesOneMore) arrives += 1;
        if (how != Conduct.MovesNothing) {
            uint256 taken = _unitsUp(amount);
            require(_held[from] >= taken, Insufficient(from, _held[from], taken));
            _held[from] -= taken;
            _held[to] += (arrives * 1e18) / scaleWad;
        }
        if (!beforeMove) _tell();

        if (how == Conduct.ReturnsNothing) _return(1, 0);
        if (how == Conduct.MovesAndReturnsFalse) _return(0, 32);
        if (how == Conduct.ReturnsTwo) _return(2, 32);
        _return(1, how == Conduct.ReturnsBomb ? 32 + size : 32);
    }

    function _unitsUp(uint256 amount) private view returns (uint256) {
        return (amount * 1e18 + scaleWad - 1) / scaleWad;
    }

    function _tell() private {
        if (address(puppet) != address(0)) puppet.onMove();
    }

    function _return(uint256 word, uint256 size) private pure {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, word)
            return(start, size)
        }
    }
}
