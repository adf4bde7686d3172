### <info version="1.0.0">
###     <title>Python API</title>
###     <description>The two functions that every CoFlows Query begins with.</description>
###     <license name="Apache 2.0" url="https://www.apache.org/licenses/LICENSE-2.0"/>
### </info>

from coflows_jupyter.access.permissions import permission
from coflows_jupyter.runtimes.context import current


### <api name="Add">
###     <description>Adds two numbers.</description>
###     <returns>their sum</returns>
###     <param name="x" type="int">first number</param>
###     <param name="y" type="int">second number</param>
###     <permissions>
###         <group id="$WID$" permission="read"/>
###     </permissions>
### </api>
def Add(x: int, y: int) -> int:
    return x + y


### <api name="Permission">
###     <description>Tells what the caller may do in this Workflow.</description>
###     <returns>a sentence</returns>
###     <permissions>
###         <group id="$WID$" permission="view"/>
###     </permissions>
### </api>
def Permission() -> str:
    call = current()
    if call is None:
        return "nobody calls: this runs outside of a call"
    return f"{call.caller.name} has {permission(call.caller, '$WID$').name.lower()} permission"
