"""validate_sbom.py FILE: fails where FILE is not CycloneDX 1.5."""

import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(pathlib.Path(sys.argv[1]).read_text())
if error:
    sys.exit(f"{sys.argv[1]}: {error}")
