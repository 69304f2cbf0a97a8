"""Preference profiles: pages of this admin, kept by the profile service."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from reco_app.curation import clients
from reco_app.curation.admin.profile_forms import ProfileForm
from reco_app.curation.models import Profile
from runtime import rest

LIST = "admin:curation_profile_changelist"
AWAY = "The profile service does not answer right now. Nothing was changed; try again shortly."


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = clients.profiles()
        except rest.Unavailable:
            messages.error(request, AWAY)
            found = []
        context = self._context(request, title="Profiles") | {"profiles": found}
        return TemplateResponse(request, "curation/profiles.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        writes = self._may_write(request, new=object_id is None)
        try:
            known = self._known(object_id)
            form = ProfileForm(request.POST or None, profile=known, locked=not writes)
            if request.method == "POST" and writes and form.is_valid() and self._saved(form):
                messages.success(request, f"“{form.cleaned_data['name']}” was saved.")
                return HttpResponseRedirect(reverse(LIST))
        except rest.Unavailable:
            messages.error(request, AWAY)
            return HttpResponseRedirect(reverse(LIST))
        title = known["name"] if known else "Add profile"
        context = self._context(request, title=title) | {
            "form": form,
            "profile": known,
            "writes": writes,
        }
        return TemplateResponse(request, "curation/profile.html", context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_delete_permission(request):
            raise PermissionDenied
        try:
            known = self._known(object_id)
            if request.method == "POST":
                clients.delete_profile(unquote(object_id))
                messages.success(request, "The profile was deleted.")
                return HttpResponseRedirect(reverse(LIST))
        except rest.Unavailable:
            messages.error(request, AWAY)
            return HttpResponseRedirect(reverse(LIST))
        context = self._context(request, title="Delete this profile?") | {"profile": known}
        return TemplateResponse(request, "curation/profile_delete.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise Http404("The profile service keeps versions, not a history.")

    def _may_write(self, request: HttpRequest, *, new: bool) -> bool:
        if not (self.has_add_permission(request) if new else self.has_view_permission(request)):
            raise PermissionDenied
        return new or self.has_change_permission(request)

    def _known(self, object_id: str | None) -> dict[str, Any] | None:
        if object_id is None:
            return None
        known = clients.profile(unquote(object_id))
        if known is None:
            raise Http404("There is no such profile.")
        return known

    def _saved(self, form: ProfileForm) -> bool:
        try:
            clients.put_profile(form.wire())
        except clients.Conflict:
            form.add_error(
                None,
                "Somebody else changed this profile, or made one of this name, since you opened "
                "it. Open it again and repeat your change.",
            )
        except clients.Refused as refusal:
            form.add_error(None, f"The profile service does not take this: {refusal}")
        return form.is_valid()

    def _context(self, request: HttpRequest, *, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": title,
            "may_add": self.has_add_permission(request),
            "may_delete": self.has_delete_permission(request),
        }
