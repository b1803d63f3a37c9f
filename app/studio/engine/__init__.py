"""Where work runs: one supervised process per device, others for decoding pictures."""
