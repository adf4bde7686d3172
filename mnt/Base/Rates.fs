namespace Rates

open System

/// Interest rates by maturity: years, and yearly rates with continuous compounding.
type Curve(points: (float * float) list) =
    let points = List.sortBy fst points

    /// The rates of a quiet day, for examples.
    static member Sample = Curve [ 0.25, 0.021; 1.0, 0.023; 2.0, 0.025; 5.0, 0.028; 10.0, 0.031 ]

    /// The rate for a maturity in years: between two points on the line from one to the other, beyond them that of the last.
    member _.Rate(years: float) =
        let before = points |> List.tryFindBack (fun (x, _) -> x <= years)
        let after = points |> List.tryFind (fun (x, _) -> x > years)

        match before, after with
        | Some(x, a), Some(y, b) -> a + (b - a) * (years - x) / (y - x)
        | Some(_, rate), None
        | None, Some(_, rate) -> rate
        | None, None -> 0.0

    /// What one unit of money in some years is worth today.
    member curve.Discount(years: float) = exp (-curve.Rate years * years)
