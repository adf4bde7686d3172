module Bonds

/// <info version="1.0.0">
///     <title>Bonds</title>
///     <description>Prices and yields of bonds: F#.</description>
/// </info>

open Rates

type Bond = { Price: float; Yield: float; Duration: float }

let private flows coupon years =
    [ for year in 1..years -> float year, (if year = years then 1.0 + coupon else coupon) ]

/// The yield by which a bond's payments are worth its price, found by Newton's method.
let rec private yieldOf flows price guess =
    let value = flows |> List.sumBy (fun (t, amount) -> amount * exp (-guess * t))
    let slope = flows |> List.sumBy (fun (t, amount) -> -t * amount * exp (-guess * t))
    let better = guess - (value - price) / slope
    if abs (better - guess) < 1e-12 then better else yieldOf flows price better

/// <api name="bond">
///     <description>A bond that pays a coupon once a year, valued by the sample's curve.</description>
///     <returns>its price per unit, its yield and its duration in years</returns>
///     <param name="coupon" type="float">yearly coupon per unit, such as 0.03</param>
///     <param name="years" type="int">years until it is paid back</param>
///     <permissions>
///         <group id="$WID$" permission="read"/>
///     </permissions>
/// </api>
let bond (coupon: float) (years: int) =
    let flows = flows coupon years
    let price = flows |> List.sumBy (fun (t, amount) -> amount * Curve.Sample.Discount t)
    let rate = yieldOf flows price 0.03
    let weighted = flows |> List.sumBy (fun (t, amount) -> t * amount * exp (-rate * t))
    { Price = price; Yield = rate; Duration = weighted / price }

/// <api name="curve">
///     <description>The rates that the bonds are valued by.</description>
///     <returns>rates by years</returns>
///     <permissions>
///         <group id="$WID$" permission="read"/>
///     </permissions>
/// </api>
let curve () =
    [ for years in [ 1; 2; 3; 5; 10 ] -> years, Curve.Sample.Rate(float years) ] |> Map.ofList
