"""What draws: charts in the browser, and the copy of Plotly that draws them."""
