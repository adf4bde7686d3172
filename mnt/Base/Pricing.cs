using System;
using Rates;

namespace Pricing
{
    /// What an option costs, and how it moves with the share.
    public record Quote(double Price, double Delta);

    /// European options by Black and Scholes, with rates of the curve that F# has.
    public static class Options
    {
        public static Quote Put(double spot, double strike, double years, double volatility)
        {
            var rate = Curve.Sample.Rate(years);
            var deviation = volatility * Math.Sqrt(years);
            var d = (Math.Log(spot / strike) + (rate + volatility * volatility / 2) * years) / deviation;
            var price = strike * Curve.Sample.Discount(years) * Normal(deviation - d) - spot * Normal(-d);
            return new Quote(price, -Normal(-d));
        }

        // The normal distribution by Abramowitz and Stegun, 26.2.17: seven digits.
        static double Normal(double x)
        {
            var t = 1 / (1 + 0.2316419 * Math.Abs(x));
            var sum = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
            var tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI) * sum;
            return x > 0 ? 1 - tail : tail;
        }
    }
}
