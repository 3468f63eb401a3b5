// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {AssetSet, lowestBit} from "../../contracts/types/AssetSet.sol";
import {Price} from "../../contracts/types/Price.sol";

/// @title An oracle that answers what it was given
/// @notice Where the vault's prices come from is not its business: of the real oracle this has the errors of `prices`, as for push-fed assets.
contract ParityOracle {
    mapping(uint256 asset => Price) private _answers;

    /// @notice The answers from now on: of each asset its number (1 byte) and its word (32 bytes), one after the other.
    function setAnswers(bytes calldata answers) external {
        for (uint256 at; at < answers.length; at += 33) {
            _answers[uint8(answers[at])] = Price.wrap(uint256(bytes32(answers[at + 1:at + 33])));
        }
    }

    function lastPrices(AssetSet assets) public view returns (Price[] memory answer) {
        answer = new Price[](assets.count());
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) answer[i] = _answers[lowestBit(bits)];
    }

    function prices(AssetSet assets) external view returns (Price[] memory answer) {
        answer = lastPrices(assets);
        uint256 bits = AssetSet.unwrap(assets);
        for (uint256 i; bits != 0; (++i, bits &= bits - 1)) {
            if (answer[i].isFresh()) continue;
            uint256 asset = lowestBit(bits);
            require(answer[i].value() != 0, IPriceOracle.PriceMissing(asset));
            revert IPriceOracle.PriceStale(asset, answer[i].publishedAt(), answer[i].maxAge());
        }
    }

    function mostTolerance(uint256 asset) external view returns (uint256) {
        return _answers[asset].tolerance();
    }
}
