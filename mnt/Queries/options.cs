/// <info version="1.0.0">
///     <title>Options</title>
///     <description>What it costs to protect the portfolio: C#, with data of Python's and rates of F#'s.</description>
/// </info>

using System;
using System.Collections.Generic;
using System.Linq;
using Pricing;
using Python.Runtime;

public record Protection(string Asset, double Units, double Price, double Volatility, double Put, double Cost);

public static class OptionsQuery
{
    /// <api name="protection">
    ///     <description>Puts that keep every asset from falling below a floor.</description>
    ///     <returns>a table: one row an asset, with what its puts cost</returns>
    ///     <param name="floor" type="float">share of today's price that is protected</param>
    ///     <param name="months" type="float">how long</param>
    ///     <permissions>
    ///         <group id="$WID$" permission="read"/>
    ///     </permissions>
    /// </api>
    public static List<Protection> protection(double floor = 0.9, double months = 6)
    {
        var rows = new List<Protection>();
        using (Py.GIL())
        {
            foreach (var row in new PyList(Py.Import("Base.portfolio.data").InvokeMethod("positions")))
            {
                var (asset, units) = (row[0].As<string>(), row[1].As<double>());
                var (price, volatility) = (row[2].As<double>(), row[3].As<double>());
                var put = Options.Put(price, floor * price, months / 12, volatility).Price;
                rows.Add(new Protection(
                    asset, units, price, Math.Round(volatility, 4), Math.Round(put, 4), Math.Round(units * put, 2)));
            }
        }
        return rows;
    }

    /// <api name="cost">
    ///     <description>What all of that costs together.</description>
    ///     <returns>an amount of money</returns>
    ///     <param name="floor" type="float">share of today's price that is protected</param>
    ///     <param name="months" type="float">how long</param>
    ///     <permissions>
    ///         <group id="$WID$" permission="read"/>
    ///     </permissions>
    /// </api>
    public static double cost(double floor = 0.9, double months = 6) =>
        Math.Round(protection(floor, months).Sum(row => row.Cost), 2);
}
