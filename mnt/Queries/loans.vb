''' <info version="1.0.0">
'''     <title>Loans</title>
'''     <description>How a loan is paid back: Visual Basic, with rates of F#'s.</description>
''' </info>

Imports System.Data
Imports Rates

Public Module Loans
    ''' <api name="payments">
    '''     <description>A loan that is paid back by equal amounts every year.</description>
    '''     <returns>a table: one row a year</returns>
    '''     <param name="amount" type="float">what is lent</param>
    '''     <param name="years" type="int">in how many years it is paid back</param>
    '''     <param name="margin" type="float">what the bank adds to the rate of the curve</param>
    '''     <permissions>
    '''         <group id="$WID$" permission="read"/>
    '''     </permissions>
    ''' </api>
    Public Function payments(amount As Double, years As Integer, Optional margin As Double = 0.01) As DataTable
        Dim rate = Curve.Sample.Rate(years) + margin
        Dim yearly = amount * rate / (1 - Math.Pow(1 + rate, -years))
        Dim table As New DataTable()
        table.Columns.Add("year", GetType(Integer))
        For Each name In {"payment", "interest", "debt"}
            table.Columns.Add(name, GetType(Double))
        Next
        For number As Integer = 1 To years
            Dim interest = amount * rate
            amount += interest - yearly
            table.Rows.Add(number, Math.Round(yearly, 2), Math.Round(interest, 2), Math.Round(Math.Abs(amount), 2))
        Next
        Return table
    End Function
End Module
