"""Puts an agent and a client into a new DjangoCRM, by its own models.

The CRM's database is in the working directory, after its own `setupdata`. The tests in a browser
know the agent's password, and that the client is the first.
"""

import django

django.setup()

# Models can be read after the setup only.
from common.models import Department  # noqa: E402
from crm.models import Company, Contact  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402

department = Department.objects.get(name="Global sales")
agent = User.objects.create_user("agent", password="canary-djangocrm-password", is_staff=True)
agent.groups.add(Group.objects.get(name="managers"), department)
company = Company.objects.create(full_name="Example Ltd", owner=agent, department=department)
Contact.objects.create(
    first_name="Olena",
    last_name="Example",
    phone="+380501234567",
    company=company,
    owner=agent,
    department=department,
)
