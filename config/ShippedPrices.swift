/// The list prices that the program brings along, compiled into the binary from `config/prices.yaml`.
package enum ShippedPrices {
    /// The text of the table.
    package static let text = String(decoding: PackageResources.prices_yaml, as: UTF8.self)
}
