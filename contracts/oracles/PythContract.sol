// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {LastPrices} from "./LastPrices.sol";

/// @title The chain's Pyth contract, and the way to bring prices to it
/// @notice A chain has one, so the oracle has one address. A feed keeps the address that it was set with: another address moves no price
/// until each feed is set again, and has a good answer there. Sources are read live, so an update that anybody brings in
/// any way counts at once.
abstract contract PythContract is LastPrices {
    /// @notice The chain's Pyth contract; zero: none.
    address public pyth;

    /// @notice Names the chain's Pyth contract, for updates and for feeds that are set from now on.
    function setPyth(address pyth_) external restricted {
        require(pyth_.code.length != 0, PythMissing(pyth_));
        pyth = pyth_;
        emit PythSet(pyth_);
    }

    /// @inheritdoc IPriceOracle
    function updatePyth(bytes[] calldata updateData) external payable {
        IPyth target = IPyth(_requirePyth());
        uint256 fee = target.getUpdateFee(updateData);
        require(msg.value >= fee, UpdateFeeNotPaid(msg.value, fee));
        target.updatePriceFeeds{value: fee}(updateData);
        uint256 rest = msg.value - fee;
        if (rest == 0) return;
        (bool taken, ) = msg.sender.call{value: rest}("");
        require(taken, RestRefused(msg.sender, rest));
    }

    /// @inheritdoc IPriceOracle
    function pythFee(bytes[] calldata updateData) external view returns (uint256) {
        return IPyth(_requirePyth()).getUpdateFee(updateData);
    }

    function _requirePyth() internal view returns (address) {
        require(pyth != address(0), PythMissing(pyth));
        return pyth;
    }
}
