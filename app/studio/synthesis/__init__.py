"""Where scripts that earlier versions gave away look; it is app.studio.makers.synthesis now."""
