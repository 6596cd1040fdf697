"""``python -m helm``: write the chart's schema and README."""

from helm import readme, schema

schema.FILE.write_text(schema.rendered(), encoding="utf-8")
readme.FILE.write_text(readme.rendered(readme.FILE.read_text(encoding="utf-8")), encoding="utf-8")
