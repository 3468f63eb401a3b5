// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {AssetSet, MAX_MARKETS, lowestBit} from "../../contracts/types/AssetSet.sol";
import {Price} from "../../contracts/types/Price.sol";

/// @title An oracle that answers what it was given
/// @notice Where the vault's prices come from is not its business: of the real oracle this has the errors of `prices`, as for push-fed assets.
contract ParityOracle {
    Price[128] private _answers;

    /// @notice The answers from now on: of each asset its number (1 byte) and its word (32 bytes), one after the other.
    function setAnswers(bytes calldata answers) external {
        assembly ("memory-safe") {
            let end := add(answers.offset, answers.length)
            for {
                let at := answers.offset
            } lt(at, end) {
                at := add(at, 33)
            } {
                sstore(shr(248, calldataload(at)), calldataload(add(at, 1)))
            }
        }
    }

    function lastPrices(AssetSet assets) public view returns (Price[] memory answer) {
        answer = new Price[](assets.count());
        uint256 next;
        // Both counters stay below 128.
        unchecked {
            for ((uint256 bits, uint256 i) = (assets.markets(), 0); bits != 0; (++i, bits >>= 1)) {
                if (bits & 1 == 1) answer[next++] = _answers[i];
            }
            for ((uint256 bits, uint256 i) = (assets.collaterals(), MAX_MARKETS); bits != 0; (++i, bits >>= 1)) {
                if (bits & 1 == 1) answer[next++] = _answers[i];
            }
        }
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
