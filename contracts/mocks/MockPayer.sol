// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {PriceOracle} from "../oracles/PriceOracle.sol";

/// @title A contract that brings Pyth prices and reads them in the same transaction, for tests
contract MockPayer {
    bool public takesRest = true;
    Price[] public read;

    error NoRest();

    receive() external payable {
        require(takesRest, NoRest());
    }

    function setTakesRest(bool takes) external {
        takesRest = takes;
    }

    function updateAndRead(PriceOracle oracle, bytes[] calldata updateData, AssetSet assets) external payable {
        oracle.updatePyth{value: msg.value}(updateData);
        read = oracle.prices(assets);
    }
}
